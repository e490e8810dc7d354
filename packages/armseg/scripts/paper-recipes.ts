import type { ConfigInput } from "../src/config/schema.ts";
import type { Cell, DataKind, NetworkKind, PaperFigures } from "../src/experiments/cell.ts";
import { METHODS } from "../src/experiments/methods.ts";
import { PAPER } from "../src/experiments/paper-scale.ts";
import { configOf } from "../src/experiments/plan-cells.ts";
import { TABLES } from "../src/experiments/tables.ts";

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

/** What is trained once, with all that the paper reports of it. */
interface Setting {
  readonly cell: Cell;
  readonly tables: readonly string[];
  readonly singleScale: PaperFigures;
  /** With multi-scale and flip; absent where table 6 has none. */
  readonly multiScale?: PaperFigures;
}

/** The trainings behind the tables: a network that several of them report on is trained once. */
function paperSettings(): Setting[] {
  const settings = new Map<string, Setting>();
  for (const [table, { cells }] of Object.entries(TABLES)) {
    for (const cell of cells) {
      const name = nameOf(cell);
      const { tables = [], singleScale = {}, ...known } = settings.get(name) ?? {};
      const found = cell.isMultiScale
        ? { singleScale, multiScale: cell.paper }
        : { singleScale: { ...singleScale, ...cell.paper } };
      settings.set(name, {
        ...known,
        cell,
        tables: [...new Set([...tables, table.slice("table".length)])],
        ...found,
      });
    }
  }
  return [...settings.values()];
}

const DATA_NAMES: Readonly<Record<DataKind, string>> = {
  coarse: "cityscapes-coarse",
  fine: "cityscapes-fine",
  extra: "cityscapes-coarse-extension",
  ade20k: "ade20k",
};

const WEIGHTS: Readonly<Record<NetworkKind, string>> = {
  "r50-deeplab": "mmsegmentation's open-mmlab://resnet50_v1c",
  "r101-deeplab": "mmsegmentation's open-mmlab://resnet101_v1c",
  "r101-ocr": "mmsegmentation's open-mmlab://resnet101_v1c",
  "s101-deeplab": "mmsegmentation's open-mmlab://resnest101, or timm's resnest101e",
};

function nameOf({ data, network, method }: Cell): string {
  return `${DATA_NAMES[data]}-${network}-${method}`;
}

function tablesText(tables: readonly string[]): string {
  const list =
    tables.length === 1
      ? `table ${tables[0]}`
      : `tables ${tables.slice(0, -1).join(", ")} and ${tables.at(-1)}`;
  const isArranged = tables.some((table) => table === "3" || table === "4");
  return `Liu et al. 2020, ${list}${isArranged ? " (3 holds coarse, 4 fine annotations: our arrangement)" : ""}`;
}

/** `aAcc 93.88, mAcc 83.83, mIoU 71.94`. */
function figuresText(figures: PaperFigures | undefined): string {
  const { aAcc, mAcc, mIoU } = figures ?? {};
  const shown = Object.entries({ aAcc, mAcc, mIoU }).filter(([, value]) => value !== undefined);
  const text = shown.map(
    ([name, value]) => `${name} ${typeof value === "number" ? value.toFixed(2) : value}`,
  );
  return shown.length === 0 ? "not recorded here" : text.join(", ");
}

function expectedText({ singleScale, multiScale }: Setting): string {
  const where = multiScale?.on ?? "val";
  const more = multiScale ? `; multi-scale + flip on ${where}: ${figuresText(multiScale)}` : "";
  return `on val: ${figuresText(singleScale)}${more} (the paper's; not yet run here)`;
}

function recipeOf(setting: Setting): Recipe {
  const { cell, tables, multiScale } = setting;
  const name = nameOf(cell);
  const { weights, backbone } = PAPER.networks[cell.network]!.model;
  const isForServer = multiScale?.on === "test";
  return {
    name,
    title: `${PAPER.data[cell.data]!({ folder: "" }).title}. ${PAPER.networks[cell.network]!.title}, ${METHODS[cell.method].title}.`,
    table: tablesText(tables),
    expected: expectedText(setting),
    hardware: "one CUDA GPU; the paper used eight with 2 images each, here 8 x 2 images are accumulated",
    commands: [
      `armseg train recipes/${name}.yaml`,
      `armseg eval runs/${name}${multiScale ? " --set evaluation.tta=mmseg" : ""}`,
      ...(isForServer
        ? [`armseg submit runs/${name} cityscapes --out submission --set evaluation.tta=mmseg`]
        : []),
    ],
    notes: [`weights/${weights}: ImageNet weights of ${backbone}, e.g. ${WEIGHTS[cell.network]}.`],
    config: { ...configOf(cell, PAPER, { folder: "" }), name },
  };
}

const CAMVID: Recipe = {
  name: "camvid-coarse-arm",
  title:
    "CamVid, 11 classes, coarse annotations drawn by armseg. DeepLabv3+ on ResNet-18, ARM; for a small machine.",
  table: "none: not a setting of the paper",
  expected:
    "mIoU 47.08 with ImageNet weights up to layer3, on a split of the training list (docs/results.md); cross entropy 47.17, on fine labels 52.57",
  hardware:
    "two processors with bfloat16 arithmetic (`armseg doctor`), 25 minutes; on others --set training.precision=float32",
  commands: [
    "armseg data coarsen data/camvid/labels/train data/camvid-coarse",
    "armseg train recipes/camvid-coarse-arm.yaml --set model.weights=weights/resnet18.pth",
    "armseg eval runs/camvid-coarse-arm",
  ],
  notes: [
    "weights/resnet18.pth: ImageNet weights in torchvision's layout. They help more than anything else.",
    "Class weights: in so short a training poles, signs and bicyclists are not learned without them.",
  ],
  config: {
    name: "camvid-coarse-arm",
    data: {
      format: "camvid",
      root: "data/camvid",
      train: { split: "train", masks: "data/camvid-coarse/labels" },
    },
    model: {
      backbone: "resnet18",
      stem: "v1",
      outputStride: 16,
      headChannels: 128,
      allowPartialWeights: true,
    },
    loss: { classWeights: "inverse-log" },
    reweighting: { curve: "arm", learningRateMultiplier: 10 },
    optimizer: { learningRate: 0.005 },
    schedule: { type: "poly", iterations: 1_000 },
    augmentation: { crop: [240, 320] },
    training: { batchSize: 8, precision: "bfloat16", evaluateEvery: 500 },
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
export const RECIPES: readonly Recipe[] = [...paperSettings().map(recipeOf), CAMVID, SCENES];
