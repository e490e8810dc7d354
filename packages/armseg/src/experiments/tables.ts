import type { Cell, Experiment, NetworkKind, PaperFigures, PublishedFigure } from "./cell.ts";
import type { MethodName } from "./methods.ts";

type Row = readonly [method: MethodName, paper: PaperFigures, base?: MethodName];

function scores(aAcc: number, mAcc: number, mIoU: number): PaperFigures {
  return { aAcc, mAcc, mIoU };
}

function cells(data: Cell["data"], network: NetworkKind, rows: readonly Row[]): Cell[] {
  return rows.map(([method, paper, base]) => ({ data, network, method, paper, ...(base && { base }) }));
}

function multiScale(data: Cell["data"], network: NetworkKind, rows: readonly Row[]): Cell[] {
  const on = data === "ade20k" ? {} : ({ on: "test" } as const);
  return cells(data, network, rows).map((cell) => ({
    ...cell,
    paper: { ...cell.paper, ...on },
    isMultiScale: true,
  }));
}

const COARSE_BASE: Row = ["ce", scores(93.55, 82.21, 70.33)];
const COARSE_OHEM: Row = ["ohem", scores(93.64, 82.23, 70.31)];
const COARSE_LINEAR: Row = ["linear", scores(93.92, 83.3, 72.13)];
const COARSE_ARM: Row = ["arm", scores(93.88, 83.83, 71.94)];

/** Strategies on coarse labels, and why the confidence must be detached. */
const table1: Experiment = {
  title: "Table 1: strategies of reweighting, and detaching",
  question:
    "Does suppressing confident pixels help on coarse labels, does focusing on them hurt, and what happens if the network may move its confidence?",
  cells: cells("coarse", "r101-deeplab", [
    COARSE_BASE,
    COARSE_OHEM,
    COARSE_LINEAR,
    ["linear-focus", scores(93.44, 81.46, 69.54)],
    ["linear-no-detach", { mIoU: 4.03 }],
    COARSE_ARM,
  ]),
};

const table2: Experiment = {
  title: "Table 2: what ARM reads, and its norm",
  question: "Which indicator of confidence, and which p of the first normalisation?",
  cells: cells("coarse", "r101-deeplab", [
    COARSE_BASE,
    COARSE_ARM,
    ["arm-std", { mIoU: 71.83 }],
    ["arm-log-var", { mIoU: 71.93 }],
    ["arm-entropy", { mIoU: "NaN" }],
    ["kl", { mIoU: 69.06 }],
    ["kl-arm-uncertainty", {}, "kl"],
    ["arm-p1", { mIoU: "NaN" }],
    ["arm-p3", { mIoU: 71.1 }],
  ]),
};

const table3: Experiment = {
  title: "Table 3: coarse annotations",
  question: "Does ARM help on coarse labels, whatever the network?",
  cells: [
    ...cells("coarse", "r101-deeplab", [COARSE_BASE, COARSE_OHEM, COARSE_LINEAR, COARSE_ARM]),
    ...cells("coarse", "r50-deeplab", [
      ["ce", scores(93.56, 82.33, 69.53)],
      ["arm", scores(93.75, 82.46, 70.98)],
    ]),
    ...cells("coarse", "r101-ocr", [
      ["ce", scores(93.65, 82.52, 70.51)],
      ["arm", scores(93.77, 83.31, 71.79)],
    ]),
  ],
};

const table4: Experiment = {
  title: "Table 4: fine annotations",
  question: "Does ARM help on fine labels too?",
  cells: [
    ...cells("fine", "r101-deeplab", [
      ["ce", scores(96.49, 90.47, 80.76)],
      ["ohem", scores(96.52, 90.74, 81.23)],
      ["arm", scores(96.62, 90.97, 81.73)],
    ]),
    ...cells("fine", "r50-deeplab", [
      ["ce", scores(96.34, 90.08, 79.32)],
      ["arm", scores(96.52, 90.39, 80.86)],
    ]),
    ...cells("fine", "r101-ocr", [
      ["ce", scores(96.39, 90.17, 79.92)],
      ["arm", scores(96.46, 90.94, 80.6)],
    ]),
    ...cells("ade20k", "s101-deeplab", [
      ["ce", scores(80.88, 63.55, 45.91)],
      ["ohem", scores(81.25, 65.19, 46.78)],
      ["arm", scores(81.07, 64.22, 46.51)],
    ]),
  ],
};

const table5: Experiment = {
  title: "Table 5: robust losses, with and without ARM",
  question: "Does ARM add to losses that are made for noisy labels?",
  cells: cells("coarse", "r101-deeplab", [
    COARSE_BASE,
    COARSE_ARM,
    ["gce", { mIoU: 71.23 }],
    ["gce-arm", { mIoU: 72.08 }, "gce"],
    ["kl", { mIoU: 69.06 }],
    ["kl-arm", { mIoU: 71.86 }, "kl"],
    ["focal", {}],
    ["meta-weight-net", {}],
  ]),
};

function published(setting: string, system: string, mIoU: number, source: string): PublishedFigure {
  return { setting, system, mIoU, on: "val, multi-scale + flip", source };
}

/** What users of other tools get from their published configurations, with fine annotations. */
const OTHER_SYSTEMS = [
  published("Cityscapes, fine", "DeepLabv3+ R101-D8, 80k", 82.03, "mmsegmentation, configs/deeplabv3plus"),
  published("Cityscapes, fine", "DeepLabv3+ R101-D8, 40k", 81.82, "mmsegmentation, configs/deeplabv3plus"),
  published("Cityscapes, fine", "DeepLabv3+ R50-D8, 40k", 81.01, "mmsegmentation, configs/deeplabv3plus"),
  published("Cityscapes, fine", "OCR HRNet-W48, 160k", 82.7, "mmsegmentation, configs/ocrnet"),
  published("Cityscapes, fine", "DeepLabv3+ ResNeSt-101, 80k", 80.27, "mmsegmentation, configs/resnest"),
  published("ADE20K", "DeepLabv3+ ResNeSt-101, 160k", 47.27, "mmsegmentation, configs/resnest"),
  published("ADE20K", "DeepLabv3+ R101-D8, 160k", 46.35, "mmsegmentation, configs/deeplabv3plus"),
];

const table6: Experiment = {
  title: "Table 6: with several scales and flips",
  question: "Do the gains last with multi-scale evaluation, and with more coarse labels?",
  cells: [
    ...multiScale("fine", "r101-deeplab", [
      ["ce", { mIoU: 81.39 }],
      ["ohem", { mIoU: 81.81 }],
      ["linear", { mIoU: 82.05 }],
      ["arm", { mIoU: 81.87 }],
    ]),
    ...multiScale("coarse", "r101-deeplab", [
      ["ce", { mIoU: 71.28 }],
      ["ohem", { mIoU: 71.18 }],
      ["linear", { mIoU: 71.63 }],
      ["arm", { mIoU: 71.96 }],
    ]),
    ...multiScale("extra", "r101-deeplab", [["arm", { mIoU: 73.9 }]]),
    ...multiScale("ade20k", "s101-deeplab", [
      ["ce", { mIoU: 46.46 }],
      ["ohem", { mIoU: 47.3 }],
      ["linear", { mIoU: 47.5 }],
      ["arm", { mIoU: 47.19 }],
    ]),
  ],
  published: OTHER_SYSTEMS,
};

/**
 * The paper's tables (Liu et al. 2020). Tables 3 and 4 are its main results on coarse and on fine labels; which of the two
 * holds which row is our arrangement, the figures are the paper's. Scores of table 6 are on Cityscapes' test server and on
 * ADE20K's validation split.
 */
export const TABLES = { table1, table2, table3, table4, table5, table6 } as const;

/** Every distinct training of tables 1 to 5, each once: one grid, so that no processor waits at the end of a table. */
const tables: Experiment = {
  title: "Tables 1 to 5",
  question: "All trainings of tables 1 to 5; the tables themselves are then written without any training.",
  cells: distinct([table1, table2, table3, table4, table5].flatMap(({ cells }) => cells)),
};

function distinct(cells: readonly Cell[]): Cell[] {
  const keyOf = ({ data, network, method }: Cell) => `${data} ${network} ${method}`;
  return [...new Map(cells.toReversed().map((cell) => [keyOf(cell), cell])).values()].toReversed();
}

/** What is trained and shown as a table. */
export const GRIDS = { ...TABLES, tables } as const;

export type GridName = keyof typeof GRIDS;
