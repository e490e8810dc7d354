import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Places, Scale, ScaledData } from "./scale.ts";

/** OHEM's 100,000 pixels are this share of the 2 x 512 x 1024 that one of the paper's GPUs sees. */
const OHEM_SHARE = 100_000 / (2 * 512 * 1024);

function ohemMinKept(batchSize: number, [height, width]: readonly [number, number]): number {
  return Math.round(OHEM_SHARE * batchSize * height * width);
}

/** Where the coarse labels of CamVid are drawn. */
export function camvidCoarseFolder(folder: string): string {
  return join(folder, "camvid-coarse");
}

/** `dev-train` and `dev-val` where the user has such lists, else the official splits. */
export function camvidSplits(root: string): { readonly train: string; readonly val: string } {
  const hasLists = ["dev-train", "dev-val"].every((name) => existsSync(join(root, `${name}.txt`)));
  return hasLists ? { train: "dev-train", val: "dev-val" } : { train: "train", val: "val" };
}

function camvid(isCoarse: boolean) {
  return ({ folder, data = "data/camvid" }: Places): ScaledData => {
    const splits = camvidSplits(data);
    const masks = { masks: join(camvidCoarseFolder(folder), "labels") };
    return {
      title: `CamVid, ${isCoarse ? "coarse" : "fine"}`,
      data: {
        format: "camvid",
        root: data,
        train: { split: splits.train, ...(isCoarse && masks) },
        val: { split: splits.val },
      },
    };
  };
}

const R18 = { backbone: "resnet18", stem: "v1", outputStride: 16, allowPartialWeights: true } as const;

const CAMVID_BATCH = 8;
const CAMVID_CROP: [number, number] = [160, 208];

/** CamVid at half its resolution, coarse labels drawn by armseg, DeepLabv3+ and OCR on ResNet-18. */
export const CAMVID: Scale = {
  name: "camvid",
  description: "CamVid at half resolution, ResNet-18; needs the data, ImageNet weights help",
  mostJobs: 4,
  data: { coarse: camvid(true), fine: camvid(false) },
  networks: {
    "r101-deeplab": {
      name: "r18-deeplab",
      title: "DeepLabv3+ R18",
      model: { ...R18, head: "deeplabV3Plus", headChannels: 128 },
    },
    "r101-ocr": { name: "r18-ocr", title: "OCR R18", model: { ...R18, head: "ocr", headChannels: 128 } },
  },
  base: {
    schedule: { iterations: 1500 },
    augmentation: { base: [180, 240], crop: CAMVID_CROP },
    training: { batchSize: CAMVID_BATCH, keepCheckpoints: 1 },
    evaluation: { base: [180, 240] },
  },
  curveMultiplier: 10,
  ohemMinKept: ohemMinKept(CAMVID_BATCH, CAMVID_CROP),
};

function scenes(annotations: "coarse" | "fine") {
  return ({ folder }: Places): ScaledData => ({
    title: `scenes, ${annotations}`,
    data: {
      format: "scenes",
      annotations,
      scenes: { folder: join(folder, "scenes"), count: { train: 160, val: 40 }, size: [96, 192] },
    },
  });
}

const SCENES_BATCH = 4;
const SCENES_CROP: [number, number] = [80, 112];

/**
 * Generated scenes and a small ResNet-18 from random weights: table 1 with three seeds within 40 minutes on two cores.
 *
 * An iteration takes about 0.55 s of one core without AVX-512, half of that with it: 300 of them, with three evaluations, are
 * about three minutes, and two cores train two at a time.
 */
export const SCENES: Scale = {
  name: "scenes",
  description: "generated street scenes, small ResNet-18; needs no data",
  mostJobs: 8,
  data: { coarse: scenes("coarse"), fine: scenes("fine") },
  networks: {
    "r101-deeplab": {
      name: "r18-deeplab",
      title: "DeepLabv3+ R18",
      model: { ...R18, head: "deeplabV3Plus", headChannels: 64 },
    },
    "r101-ocr": { name: "r18-ocr", title: "OCR R18", model: { ...R18, head: "ocr", headChannels: 64 } },
  },
  base: {
    // From random weights and for so few iterations the paper's 0.02 is too slow; the same in every cell.
    optimizer: { learningRate: 0.05 },
    schedule: { iterations: 300 },
    augmentation: { crop: SCENES_CROP, scale: [0.75, 1.5] },
    training: { batchSize: SCENES_BATCH, evaluateEvery: 100, checkpointEvery: 100, keepCheckpoints: 1 },
  },
  curveMultiplier: 10,
  ohemMinKept: ohemMinKept(SCENES_BATCH, SCENES_CROP),
};
