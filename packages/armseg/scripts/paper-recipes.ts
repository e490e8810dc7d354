/**
 * The settings of the paper (Liu et al. 2020, arXiv 2009.05205) as data: one entry a recipe file.
 *
 * Scores are the paper's: aAcc / mAcc / mIoU on validation, single scale, unless said otherwise. What the paper leaves open is
 * our reading and marked so in docs/training.md.
 */
import type { ConfigInput } from "../src/training/config/schema.ts";

/** One recipe file. */
export interface Recipe {
  /** Without folder and suffix; also the name of the run. */
  readonly name: string;
  readonly title: string;
  /** Where the paper reports it. */
  readonly table: string;
  /** What the paper reports, or what is to be expected. */
  readonly expected: string;
  readonly hardware: string;
  /** Commands to type, in order. */
  readonly commands: readonly string[];
  /** Further lines for the header. */
  readonly notes: readonly string[];
  readonly config: ConfigInput;
}

type Part = Omit<ConfigInput, "data" | "name">;

const DATASETS = {
  "cityscapes-fine": { title: "Cityscapes, fine annotations", annotations: "fine", iterations: 40_000 },
  "cityscapes-coarse": {
    title: "Cityscapes, coarse annotations of the 2975 training images",
    annotations: "coarse",
    iterations: 40_000,
  },
  "cityscapes-coarse-extension": {
    title: "Cityscapes, coarse annotations of the 19,998 extra images",
    annotations: "extra",
    iterations: 200_000,
  },
  ade20k: { title: "ADE20K", annotations: "fine", iterations: 160_000 },
} as const;

const NETWORKS = {
  "r50-deeplab": {
    title: "DeepLabv3+ on ResNet-50",
    backbone: "resnet50",
    head: "deeplabV3Plus",
    weights: "resnet50_v1c.pth",
  },
  "r101-deeplab": {
    title: "DeepLabv3+ on ResNet-101",
    backbone: "resnet101",
    head: "deeplabV3Plus",
    weights: "resnet101_v1c.pth",
  },
  "r101-ocr": {
    title: "OCR on ResNet-101",
    backbone: "resnet101",
    head: "ocr",
    weights: "resnet101_v1c.pth",
  },
  "s101-deeplab": {
    title: "DeepLabv3+ on ResNeSt-101",
    backbone: "resnest101",
    head: "deeplabV3Plus",
    weights: "resnest101.pth",
  },
} as const;

const OHEM = { threshold: 0.7, minKept: 100_000, semantics: "openseg" } as const;

const METHODS = {
  ce: { title: "cross entropy, no reweighting", part: { reweighting: { curve: "none" } } },
  ohem: { title: "OHEM", part: { loss: { ohem: OHEM }, reweighting: { curve: "none" } } },
  focal: {
    title: "focal loss, no reweighting",
    part: { loss: { pixel: "focal", gamma: 2 }, reweighting: { curve: "none" } },
  },
  linear: {
    title: "linear curve that suppresses confident pixels",
    part: { reweighting: { curve: "linear", slope: -0.5, intercept: 0.5 } },
  },
  "linear-focus": {
    title: "linear curve that focuses on confident pixels",
    part: { reweighting: { curve: "linear", slope: 0.5, intercept: 0.5 } },
  },
  "linear-no-detach": {
    title: "linear curve, confidence not detached: the network cheats",
    part: { reweighting: { curve: "linear", detach: false } },
  },
  arm: { title: "ARM", part: { reweighting: { curve: "arm" } } },
  "arm-std": {
    title: "ARM on the standard deviation",
    part: { reweighting: { curve: "arm", indicator: "std" } },
  },
  "arm-log-var": {
    title: "ARM on the logarithm of the variance",
    part: { reweighting: { curve: "arm", indicator: "logVar" } },
  },
  "arm-entropy": {
    title: "ARM on the entropy",
    part: { reweighting: { curve: "arm", indicator: "entropy" } },
  },
  "arm-p1": { title: "ARM with p = 1", part: { reweighting: { curve: "arm", p: 1 } } },
  "arm-p3": { title: "ARM with p = 3", part: { reweighting: { curve: "arm", p: 3 } } },
  kl: { title: "KL loss, no reweighting", part: { loss: { pixel: "kl" }, reweighting: { curve: "none" } } },
  "kl-arm": { title: "KL loss with ARM", part: { loss: { pixel: "kl" }, reweighting: { curve: "arm" } } },
  "kl-arm-uncertainty": {
    title: "KL loss with ARM on its own uncertainty",
    part: { loss: { pixel: "kl" }, reweighting: { curve: "arm", indicator: "kl" } },
  },
  gce: {
    title: "GCE loss (q = 0.1), no reweighting",
    part: { loss: { pixel: "gce", q: 0.1 }, reweighting: { curve: "none" } },
  },
  "gce-arm": {
    title: "GCE loss (q = 0.1) with ARM",
    part: { loss: { pixel: "gce", q: 0.1 }, reweighting: { curve: "arm" } },
  },
} as const satisfies Record<string, { title: string; part: Part }>;

type Dataset = keyof typeof DATASETS;
type Network = keyof typeof NETWORKS;
type Method = keyof typeof METHODS;

/** Table numbers are known for the ablations; the main results are in tables 3 and 4. */
const MAIN = "main results (tables 3 and 4)";

/** What the paper reports; `tta` is multi-scale + flip (table 6), on the test server for Cityscapes, on validation for ADE20K. */
const CELLS: readonly {
  data: Dataset;
  network: Network;
  method: Method;
  table: string;
  score: string;
  tta?: string;
}[] = [
  {
    data: "cityscapes-coarse",
    network: "r101-deeplab",
    method: "ce",
    table: MAIN,
    score: "93.55 / 82.21 / 70.33",
    tta: "71.28",
  },
  {
    data: "cityscapes-coarse",
    network: "r101-deeplab",
    method: "ohem",
    table: MAIN,
    score: "93.64 / 82.23 / 70.31",
    tta: "71.18",
  },
  {
    data: "cityscapes-coarse",
    network: "r101-deeplab",
    method: "linear",
    table: `table 1, ${MAIN}`,
    score: "93.92 / 83.30 / 72.13",
    tta: "71.63",
  },
  {
    data: "cityscapes-coarse",
    network: "r101-deeplab",
    method: "linear-focus",
    table: MAIN,
    score: "93.44 / 81.46 / 69.54",
  },
  {
    data: "cityscapes-coarse",
    network: "r101-deeplab",
    method: "linear-no-detach",
    table: "table 1",
    score: "mIoU 4.03: it collapses, as it should",
  },
  {
    data: "cityscapes-coarse",
    network: "r101-deeplab",
    method: "arm",
    table: `table 2, ${MAIN}`,
    score: "93.88 / 83.83 / 71.94",
    tta: "71.96",
  },
  {
    data: "cityscapes-coarse",
    network: "r101-deeplab",
    method: "arm-std",
    table: "table 2",
    score: "mIoU 71.83",
  },
  {
    data: "cityscapes-coarse",
    network: "r101-deeplab",
    method: "arm-log-var",
    table: "table 2",
    score: "mIoU 71.93",
  },
  {
    data: "cityscapes-coarse",
    network: "r101-deeplab",
    method: "arm-entropy",
    table: "table 2",
    score: "NaN in the paper; ours comes from log-softmax and is stable",
  },
  {
    data: "cityscapes-coarse",
    network: "r101-deeplab",
    method: "arm-p1",
    table: "table 2",
    score: "NaN in the paper",
  },
  {
    data: "cityscapes-coarse",
    network: "r101-deeplab",
    method: "arm-p3",
    table: "table 2",
    score: "mIoU 71.10",
  },
  {
    data: "cityscapes-coarse",
    network: "r101-deeplab",
    method: "focal",
    table: "a comparator of the paper",
    score: "not recorded here",
  },
  { data: "cityscapes-coarse", network: "r101-deeplab", method: "kl", table: "table 5", score: "mIoU 69.06" },
  {
    data: "cityscapes-coarse",
    network: "r101-deeplab",
    method: "kl-arm",
    table: "table 5",
    score: "mIoU 71.86",
  },
  {
    data: "cityscapes-coarse",
    network: "r101-deeplab",
    method: "kl-arm-uncertainty",
    table: "table 2",
    score: "not recorded here",
  },
  {
    data: "cityscapes-coarse",
    network: "r101-deeplab",
    method: "gce",
    table: "table 5",
    score: "mIoU 71.23",
  },
  {
    data: "cityscapes-coarse",
    network: "r101-deeplab",
    method: "gce-arm",
    table: "table 5",
    score: "mIoU 72.08",
  },
  {
    data: "cityscapes-coarse",
    network: "r50-deeplab",
    method: "ce",
    table: MAIN,
    score: "93.56 / 82.33 / 69.53",
  },
  {
    data: "cityscapes-coarse",
    network: "r50-deeplab",
    method: "arm",
    table: MAIN,
    score: "93.75 / 82.46 / 70.98",
  },
  {
    data: "cityscapes-coarse",
    network: "r101-ocr",
    method: "ce",
    table: MAIN,
    score: "93.65 / 82.52 / 70.51",
  },
  {
    data: "cityscapes-coarse",
    network: "r101-ocr",
    method: "arm",
    table: MAIN,
    score: "93.77 / 83.31 / 71.79",
  },
  {
    data: "cityscapes-coarse-extension",
    network: "r101-deeplab",
    method: "arm",
    table: "table 6",
    score: "not reported on validation",
    tta: "73.90",
  },
  {
    data: "cityscapes-fine",
    network: "r101-deeplab",
    method: "ce",
    table: MAIN,
    score: "96.49 / 90.47 / 80.76",
    tta: "81.39",
  },
  {
    data: "cityscapes-fine",
    network: "r101-deeplab",
    method: "ohem",
    table: MAIN,
    score: "96.52 / 90.74 / 81.23",
    tta: "81.81",
  },
  {
    data: "cityscapes-fine",
    network: "r101-deeplab",
    method: "linear",
    table: "table 6",
    score: "not recorded here",
    tta: "82.05",
  },
  {
    data: "cityscapes-fine",
    network: "r101-deeplab",
    method: "arm",
    table: MAIN,
    score: "96.62 / 90.97 / 81.73",
    tta: "81.87",
  },
  {
    data: "cityscapes-fine",
    network: "r50-deeplab",
    method: "ce",
    table: MAIN,
    score: "96.34 / 90.08 / 79.32",
  },
  {
    data: "cityscapes-fine",
    network: "r50-deeplab",
    method: "arm",
    table: MAIN,
    score: "96.52 / 90.39 / 80.86",
  },
  { data: "cityscapes-fine", network: "r101-ocr", method: "ce", table: MAIN, score: "96.39 / 90.17 / 79.92" },
  {
    data: "cityscapes-fine",
    network: "r101-ocr",
    method: "arm",
    table: MAIN,
    score: "96.46 / 90.94 / 80.60",
  },
  {
    data: "ade20k",
    network: "s101-deeplab",
    method: "ce",
    table: MAIN,
    score: "80.88 / 63.55 / 45.91",
    tta: "46.46",
  },
  {
    data: "ade20k",
    network: "s101-deeplab",
    method: "ohem",
    table: MAIN,
    score: "81.25 / 65.19 / 46.78",
    tta: "47.30",
  },
  {
    data: "ade20k",
    network: "s101-deeplab",
    method: "linear",
    table: "table 6",
    score: "not recorded here",
    tta: "47.50",
  },
  {
    data: "ade20k",
    network: "s101-deeplab",
    method: "arm",
    table: MAIN,
    score: "81.07 / 64.22 / 46.51",
    tta: "47.19",
  },
];

function dataOf(data: Dataset): ConfigInput["data"] {
  const { annotations } = DATASETS[data];
  if (data === "ade20k") return { format: "ade20k", root: "data/ade20k" };
  return { format: "cityscapes", root: "data/cityscapes", annotations };
}

/** Base size of the resize, and the crop. */
function augmentationOf(data: Dataset): NonNullable<ConfigInput["augmentation"]> {
  return data === "ade20k"
    ? { base: [512, 2048], crop: [512, 512] }
    : { base: [1024, 2048], crop: [512, 1024] };
}

function recipeOf({ data, network, method, table, score, tta }: (typeof CELLS)[number]): Recipe {
  const { title: dataTitle, iterations } = DATASETS[data];
  const { title: networkTitle, backbone, head, weights } = NETWORKS[network];
  const { title, part } = METHODS[method];
  const name = `${data}-${network}-${method}`;
  const where = data === "ade20k" ? "validation" : "test";
  const withTta = tta === undefined ? "" : `; multi-scale + flip, ${where}: mIoU ${tta}`;
  return {
    name,
    title: `${dataTitle}. ${networkTitle}, ${title}.`,
    table: `Liu et al. 2020, ${table}`,
    expected: `${/^\d/.test(score) ? `aAcc / mAcc / mIoU ${score}` : score}${withTta} (the paper's; not yet run here)`,
    hardware: "one CUDA GPU; the paper used eight with 2 images each, here 8 x 2 images are accumulated",
    commands: [
      `armseg train recipes/${name}.yaml`,
      `armseg eval runs/${name} --set evaluation.tta=mmseg`,
      ...(tta !== undefined && data !== "ade20k"
        ? [`armseg submit runs/${name} cityscapes --out submission --set evaluation.tta=mmseg`]
        : []),
    ],
    notes: [`Weights: ImageNet weights of ${backbone}; ${WEIGHTS_NOTE[network]}.`],
    config: {
      name,
      data: dataOf(data),
      model: { backbone, head, weights: `weights/${weights}` },
      schedule: { iterations },
      augmentation: augmentationOf(data),
      optimizer: { accumulate: 8 },
      training: { batchSize: 2, device: "cuda", precision: "float16" },
      ...(data === "ade20k" && { evaluation: { base: [512, 2048] } }),
      ...part,
    },
  };
}

const WEIGHTS_NOTE: Readonly<Record<Network, string>> = {
  "r50-deeplab": "mmsegmentation names them open-mmlab://resnet50_v1c",
  "r101-deeplab": "mmsegmentation names them open-mmlab://resnet101_v1c",
  "r101-ocr": "mmsegmentation names them open-mmlab://resnet101_v1c",
  "s101-deeplab": "mmsegmentation (open-mmlab://resnest101) or timm (resnest101e) have them",
};

const CAMVID: Recipe = {
  name: "camvid-coarse-arm",
  title:
    "CamVid, 11 classes, coarse annotations drawn by armseg. DeepLabv3+ on ResNet-18, ARM; for a small machine.",
  table: "none: not a setting of the paper",
  expected: "not yet measured with exactly this file",
  hardware: "two processors; no GPU",
  commands: [
    "armseg data coarsen data/camvid/labels/train data/camvid-coarse",
    "armseg train recipes/camvid-coarse-arm.yaml",
    "armseg eval runs/camvid-coarse-arm",
  ],
  notes: [
    "Pretrained weights help more than anything else: --set model.weights=weights/resnet18.pth (torchvision's layout).",
  ],
  config: {
    name: "camvid-coarse-arm",
    data: {
      format: "camvid",
      root: "data/camvid",
      train: { split: "train", masks: "data/camvid-coarse/labels" },
    },
    model: { backbone: "resnet18", stem: "v1", outputStride: 16, headChannels: 128 },
    reweighting: { curve: "arm", learningRateMultiplier: 10 },
    schedule: { iterations: 2_000 },
    augmentation: { crop: [240, 320] },
    training: { batchSize: 8, precision: "bfloat16" },
  },
};

const SCENES: Recipe = {
  name: "scenes-demo",
  title:
    "Generated street scenes, 11 classes, coarse annotations. DeepLabv3+ on ResNet-18, ARM; needs no data.",
  table: "none: not a setting of the paper",
  expected: "see `armseg demo`, which trains this beside plain cross entropy",
  hardware: "two processors; no GPU",
  commands: ["armseg train recipes/scenes-demo.yaml", "armseg eval runs/scenes-demo"],
  notes: [],
  config: {
    name: "scenes-demo",
    data: {
      format: "scenes",
      annotations: "coarse",
      scenes: { folder: "data/scenes", count: { train: 160, val: 24 }, size: [96, 192] },
    },
    model: { backbone: "resnet18", stem: "v1", outputStride: 16, headChannels: 64 },
    reweighting: { curve: "arm", learningRateMultiplier: 10 },
    optimizer: { learningRate: 0.05 },
    schedule: { iterations: 300 },
    augmentation: { crop: [96, 128], scale: [0.75, 1.5] },
    training: { batchSize: 4 },
  },
};

/** Every file of `recipes/`. */
export const RECIPES: readonly Recipe[] = [...CELLS.map(recipeOf), CAMVID, SCENES];
