import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Places, Scale, ScaledData } from "./scale.ts";

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

/**
 * CamVid at half its resolution, coarse labels drawn by armseg, DeepLabv3+ and OCR on ResNet-18.
 *
 * A budget for two processors without AVX-512: 0.55 s of one an iteration, three and a half minutes a training, tables 1 to 5 with three
 * seeds in two and a half hours. The output stride of 32 is the ResNet's own: dilating its last stage would take as long as
 * all the others.
 */
export const CAMVID: Scale = {
  name: "camvid",
  description: "CamVid at half resolution, ResNet-18; needs the data, ImageNet weights help",
  mostJobs: 8,
  data: { coarse: camvid(true), fine: camvid(false) },
  networks: {
    "r101-deeplab": {
      name: "r18-deeplab",
      title: "DeepLabv3+ R18",
      model: { ...R18, outputStride: 32, head: "deeplabV3Plus", headChannels: 128 },
    },
    "r101-ocr": {
      name: "r18-ocr",
      title: "OCR R18",
      model: { ...R18, outputStride: 32, head: "ocr", headChannels: 128 },
    },
  },
  base: {
    schedule: { iterations: 340 },
    augmentation: { base: [180, 240], scale: [0.75, 1.5], crop: [128, 160] },
    training: { batchSize: 4, evaluateEvery: 340, checkpointEvery: 170, keepCheckpoints: 1 },
    evaluation: { base: [180, 240] },
  },
  curveMultiplier: 10,
  isOhemScaled: true,
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
    augmentation: { crop: [80, 112], scale: [0.75, 1.5] },
    training: { batchSize: 4, evaluateEvery: 100, checkpointEvery: 100, keepCheckpoints: 1 },
  },
  curveMultiplier: 10,
  isOhemScaled: true,
};
