import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { coarsenFolder } from "../coarsen/index.ts";
import { ConfigError } from "../config/read-config.ts";
import { makeFolderOnce } from "../core/atomic-file.ts";
import { DataError } from "../data/data-error.ts";
import { camvid } from "../data/formats/camvid.ts";
import type { Places, Preset, PresetData } from "./preset.ts";

/** Labels of CamVid that are drawn here, and the share of their polygons that have a wrong class. */
const DRAWN = { coarse: 0, wrong: 0.15 } as const;
type Drawn = keyof typeof DRAWN;

/** Where they are drawn. */
function drawnFolder(folder: string, kind: Drawn): string {
  return join(folder, `camvid-${kind}`);
}

/** `dev-train` and `dev-val` where the user has such lists, else the official splits. */
function camvidSplits(root: string): { readonly train: string; readonly val: string } {
  const hasLists = ["dev-train", "dev-val"].every((name) => existsSync(join(root, `${name}.txt`)));
  return hasLists ? { train: "dev-train", val: "dev-val" } : { train: "train", val: "val" };
}

/** Draws coarse labels of CamVid's training split, once. @throws {ConfigError} If it is not said where CamVid lies. */
export async function drawCamvidLabels(
  kind: Drawn,
  { folder, data }: Places,
  say: (text: string) => void,
): Promise<void> {
  if (data === undefined) throw new ConfigError("preset camvid needs --data, the folder of CamVid");
  const place = drawnFolder(folder, kind);
  const fine = await camvid(data, { split: camvidSplits(data).train });
  const { annotation } = fine.samples[0] ?? {};
  if (annotation?.kind !== "mask")
    throw new DataError(`preparePreset(): CamVid in ${data} has no masks`, data);
  const labels = dirname(annotation.path);
  const options = { seed: 0, classes: fine.classes, labelMap: annotation.labelMap, wrong: DRAWN[kind] };
  if (!existsSync(place)) say(`drawing ${kind} labels of ${labels} in ${place}`);
  await makeFolderOnce(place, (unfinished) => coarsenFolder(labels, unfinished, options));
}

function camvidData(kind: "fine" | Drawn) {
  return ({ folder, data = "data/camvid" }: Places): PresetData => {
    const splits = camvidSplits(data);
    const masks = kind !== "fine" && { masks: join(drawnFolder(folder, kind), "labels") };
    return {
      title: `CamVid, ${kind}`,
      data: {
        format: "camvid",
        root: data,
        train: { split: splits.train, ...masks },
        val: { split: splits.val },
      },
    };
  };
}

const R18 = { backbone: "resnet18", stem: "v1", outputStride: 16, allowPartialWeights: true } as const;
/** Ends where public partial weights of ImageNet end, so that every layer of the backbone is pretrained; the original head is the cheaper one. */
const R18_STAGE_3 = { ...R18, stages: 3, headChannels: 128 } as const;

/**
 * CamVid at half its resolution, coarse labels drawn by armseg, DeepLabv3+ and OCR on three stages of ResNet-18.
 *
 * The budget was chosen by cross entropy on fine labels alone: the fewest iterations with which every class has begun to be
 * learned (docs/results.md). The whole training takes about 16 minutes of one core without AVX-512. What is evaluated is the
 * moving average of the weights, which lies closer together from seed to seed.
 */
export const CAMVID: Preset = {
  name: "camvid",
  description:
    "CamVid at half resolution, three stages of ResNet-18; needs the data, and ImageNet weights for scores worth the name",
  mostJobs: 8,
  data: { coarse: camvidData("coarse"), wrong: camvidData("wrong"), fine: camvidData("fine") },
  networks: {
    "r101-deeplab": {
      name: "r18-deeplab",
      title: "DeepLabv3+ R18",
      model: { ...R18_STAGE_3, head: "deeplabV3PlusOriginal" },
    },
    "r101-ocr": { name: "r18-ocr", title: "OCR R18", model: { ...R18_STAGE_3, head: "ocr" } },
  },
  base: {
    // The backbone is pretrained, the head is not.
    optimizer: { type: "adamw", learningRate: 5e-4, headMultiplier: 4, weightDecay: 0.01 },
    schedule: { iterations: 1200, type: "poly" },
    augmentation: { base: [180, 240], scale: [0.75, 1.75], crop: [160, 208], photometric: false },
    training: { batchSize: 4, ema: 0.99, evaluateEvery: 800, checkpointEvery: 100, keepCheckpoints: 1 },
    evaluation: { base: [180, 240] },
  },
  curveMultiplier: 10,
  isOhemScaled: true,
};

function scenes(kind: "fine" | Drawn) {
  return ({ folder }: Places): PresetData => ({
    title: `scenes, ${kind}`,
    data: {
      format: "scenes",
      annotations: kind === "fine" ? "fine" : "coarse",
      scenes: {
        folder: join(folder, "scenes"),
        count: { train: 160, val: 40 },
        size: [96, 192],
        ...(kind === "wrong" && { wrong: DRAWN.wrong }),
      },
    },
  });
}

/**
 * Generated scenes and a small ResNet-18 from random weights: table 1 with three seeds within 40 minutes on two cores.
 *
 * An iteration takes about 0.55 s of one core without AVX-512, half of that with it: 300 of them, with three evaluations, are
 * about three minutes, and two cores train two at a time.
 */
export const SCENES: Preset = {
  name: "scenes",
  description: "generated street scenes, small ResNet-18; needs no data",
  mostJobs: 8,
  data: { coarse: scenes("coarse"), wrong: scenes("wrong"), fine: scenes("fine") },
  networks: {
    "r101-deeplab": {
      name: "r18-deeplab",
      title: "DeepLabv3+ R18",
      model: { ...R18, head: "deeplabV3Plus", headChannels: 64 },
    },
    "r101-ocr": { name: "r18-ocr", title: "OCR R18", model: { ...R18, head: "ocr", headChannels: 64 } },
  },
  base: {
    // From random weights and for so few iterations the paper's 0.02 is too slow; the same in every entry.
    optimizer: { learningRate: 0.05 },
    schedule: { iterations: 300 },
    augmentation: { crop: [80, 112], scale: [0.75, 1.5] },
    training: { batchSize: 4, evaluateEvery: 100, checkpointEvery: 100, keepCheckpoints: 1 },
  },
  curveMultiplier: 10,
  isOhemScaled: true,
};
