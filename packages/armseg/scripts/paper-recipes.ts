import type { ConfigInput } from "../src/config/schema.ts";
import type { DataKind, ExperimentEntry, PaperFigures } from "../src/experiments/experiment.ts";
import { METHODS } from "../src/experiments/methods.ts";
import { PAPER } from "../src/experiments/paper-preset.ts";
import { configOf, MULTI_SCALE } from "../src/experiments/plan-entries.ts";
import { GRIDS, TABLES } from "../src/experiments/tables.ts";
import { imageNetWeights } from "../src/networks/weights/imagenet.ts";

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
  readonly entry: ExperimentEntry;
  /** Numbers of the paper's tables that have it. */
  readonly tables: readonly string[];
  /** Numbers of the tables that we put it beside. */
  readonly beside: readonly string[];
  readonly singleScale?: PaperFigures;
  /** With several scales and flips. */
  readonly multiScale?: PaperFigures;
}

/** The trainings behind the tables: a network that several of them report on is trained once. */
function paperSettings(): Setting[] {
  const settings = new Map<string, Setting>();
  for (const [table, { entries }] of Object.entries({ ...TABLES, extension: GRIDS.extension })) {
    for (const entry of entries) {
      const name = nameOf(entry);
      settings.set(name, extended(settings.get(name), entry, table.replace("table", "")));
    }
  }
  return [...settings.values()];
}

function extended(setting: Setting | undefined, entry: ExperimentEntry, table: string): Setting {
  const { tables = [], beside = [], ...known } = setting ?? {};
  return {
    ...known,
    entry,
    ...(entry.isMultiScale ? { multiScale: entry.paper } : { singleScale: entry.paper }),
    tables: entry.isOurs ? tables : [...tables, table],
    beside: entry.isOurs ? [...beside, table] : beside,
  };
}

const DATA_NAMES: Readonly<Record<DataKind, string>> = {
  coarse: "cityscapes-coarse",
  wrong: "cityscapes-wrong",
  fine: "cityscapes-fine",
  extra: "cityscapes-coarse-extension",
  ade20k: "ade20k",
};

/** Whether it is trained on train + val, for the score of the test server. */
function isForServer({ paper }: ExperimentEntry): boolean {
  return paper.on === "test";
}

function nameOf(entry: ExperimentEntry): string {
  const { data, network, method } = entry;
  return `${DATA_NAMES[data]}-${network}-${method}${isForServer(entry) ? "-trainval" : ""}`;
}

/** `table 1`, `tables 1, 3 and 5`, `section 4.5`. */
function placeText(tables: readonly string[]): string {
  if (tables[0] === "extension") return "section 4.5";
  if (tables.length === 1) return `table ${tables[0]}`;
  return `tables ${tables.slice(0, -1).join(", ")} and ${tables.at(-1)}`;
}

function tableText({ tables, beside }: Setting): string {
  if (tables.length > 0) return `Liu et al. 2020, ${placeText(tables)}`;
  return `Liu et al. 2020 has no such row; ours, beside its ${placeText(beside)}`;
}

/** `aAcc 93.88, mAcc 83.83, mIoU 71.94`. */
function figuresText({ aAcc, mAcc, mIoU }: PaperFigures): string {
  if (mIoU === undefined) return "the paper has none";
  const all = Object.entries({ aAcc, mAcc, mIoU });
  const known = all.flatMap(([name, value]) =>
    value === undefined || value === null
      ? []
      : [`${name} ${typeof value === "number" ? value.toFixed(2) : value}`],
  );
  const unknown = all.flatMap(([name, value]) => (value === null ? [name] : []));
  const rest = unknown.length > 0 ? `; ${unknown.join(" and ")}: not recorded here` : "";
  return `${known.join(", ")}${rest}`;
}

function expectedText({ singleScale, multiScale }: Setting): string {
  const parts = [
    ...(singleScale ? [`on val: ${figuresText(singleScale)}`] : []),
    ...(multiScale
      ? [`with several scales and flips on ${multiScale.on ?? "val"}: ${figuresText(multiScale)}`]
      : []),
  ];
  const source = singleScale && singleScale.mIoU === undefined ? "" : "the paper's; ";
  return `${parts.join("; ")} (${source}not yet run here)`;
}

/** The commands that give the scores of {@link expectedText}, in order. */
function commandsOf({ entry, singleScale, multiScale }: Setting): string[] {
  const name = nameOf(entry);
  const tta = ` --set ${MULTI_SCALE[0]}`;
  const submit = `armseg submit runs/${name} cityscapes --split test --checkpoint last --out submission${tta}`;
  return [
    `armseg weights fetch ${weightsOf(entry)}`,
    `armseg train recipes/${name}.yaml`,
    ...(singleScale ? [`armseg eval runs/${name}`] : []),
    ...(multiScale ? [isForServer(entry) ? submit : `armseg eval runs/${name}${tta}`] : []),
  ];
}

function weightsOf({ network }: ExperimentEntry): string {
  const { backbone = "resnet50", stem = "v1c", strideOn = "3x3" } = PAPER.networks[network]!.model;
  return imageNetWeights({ backbone, stem, strideOn }).name;
}

function notesOf({ entry }: Setting): string[] {
  return [
    "The weights are fetched once, by hand: no training downloads anything (docs/networks.md).",
    ...(isForServer(entry)
      ? [
          "Trained on train + val, so that scores on val mean nothing and the last checkpoint is taken; that of the test split is the server's.",
        ]
      : []),
  ];
}

function recipeOf(setting: Setting): Recipe {
  const { entry } = setting;
  const name = nameOf(entry);
  const { title } = PAPER.data[entry.data]!({ folder: "" });
  const splits = isForServer(entry) ? ["data.train.split=train+val"] : [];
  return {
    name,
    title: `${title}${isForServer(entry) ? ", train + val" : ""}. ${PAPER.networks[entry.network]!.title}, ${METHODS[entry.method].title}.`,
    table: tableText(setting),
    expected: expectedText(setting),
    hardware: "one CUDA GPU; the paper used eight with 2 images each, here 8 x 2 images are accumulated",
    commands: commandsOf(setting),
    notes: notesOf(setting),
    config: { ...configOf(entry, PAPER, { folder: "" }, splits), name },
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
    "armseg weights fetch resnet18",
    "armseg train recipes/camvid-coarse-arm.yaml",
    "armseg eval runs/camvid-coarse-arm",
  ],
  notes: [
    "ImageNet weights help more than anything else; files of one's own are named by model.weights.",
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
      weights: "imagenet",
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
  expected: "nothing in particular: an example; `armseg demo` trains a smaller network on the same scenes",
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
