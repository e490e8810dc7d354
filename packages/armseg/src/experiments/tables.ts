import type { Cell, DataKind, Experiment, NetworkKind } from "./cell.ts";
import type { MethodName } from "./methods.ts";
import { MULTI_SCALE, OTHER_SYSTEMS, SINGLE_SCALE } from "./paper-figures.ts";

/** What is compared with another loss than plain cross entropy. */
const BASES: Readonly<Partial<Record<MethodName, MethodName>>> = {
  "gce-arm": "gce",
  "kl-arm": "kl",
  "kl-arm-uncertainty": "kl",
};

/** Rows of the paper's table. */
function rows(data: DataKind, network: NetworkKind, ...methods: readonly MethodName[]): Cell[] {
  return methods.map((method) => {
    const base = BASES[method];
    const paper = SINGLE_SCALE[data]?.[network]?.[method] ?? {};
    return { data, network, method, paper, ...(base && { base }) };
  });
}

/** Rows that the paper's table does not have: their figures are those of another of its tables, or there are none. */
function ours(data: DataKind, network: NetworkKind, ...methods: readonly MethodName[]): Cell[] {
  return rows(data, network, ...methods).map((cell) => ({ ...cell, isOurs: true }));
}

function multiScale(data: DataKind, network: NetworkKind, ...methods: readonly MethodName[]): Cell[] {
  return methods.map((method) => {
    const paper = MULTI_SCALE[data]?.[network]?.[method] ?? {};
    return { data, network, method, paper, isMultiScale: true };
  });
}

const table1: Experiment = {
  title: "Table 1: suppressing, focusing, detaching",
  question:
    "Does suppressing confident pixels help on coarse labels, does focusing on them hurt, and what happens if the network may move its confidence?",
  cells: [
    ...rows("coarse", "r101-deeplab", "ce", "linear", "linear-focus", "linear-no-detach"),
    ...ours("coarse", "r101-deeplab", "ohem", "arm"),
  ],
};

const table2: Experiment = {
  title: "Table 2: what ARM reads, and its norm",
  question: "Which indicator of confidence, and which p of the first normalisation?",
  cells: [
    ...ours("coarse", "r101-deeplab", "ce"),
    ...rows("coarse", "r101-deeplab", "arm", "arm-std", "arm-log-var", "arm-entropy", "arm-p1", "arm-p3"),
  ],
};

const table3: Experiment = {
  title: "Table 3: backbones and heads",
  question: "Does ARM help on coarse and on fine labels, whatever the network?",
  cells: [
    ...rows("coarse", "r50-deeplab", "ce", "arm"),
    ...rows("coarse", "r101-deeplab", "ce", "arm"),
    ...rows("coarse", "r101-ocr", "ce", "arm"),
    ...rows("fine", "r50-deeplab", "ce", "arm"),
    ...rows("fine", "r101-deeplab", "ce", "arm"),
    ...rows("fine", "r101-ocr", "ce", "arm"),
    ...rows("ade20k", "s101-deeplab", "ce", "arm"),
  ],
};

const table4: Experiment = {
  title: "Table 4: losses, with and without ARM",
  question: "Does ARM add to losses that are made for noisy labels?",
  cells: [
    ...rows("coarse", "r101-deeplab", "ce", "arm", "gce", "gce-arm", "kl", "kl-arm-uncertainty"),
    ...ours("coarse", "r101-deeplab", "kl-arm", "focal", "meta-weight-net"),
  ],
};

const table5: Experiment = {
  title: "Table 5: OHEM and ARM",
  question: "Does looking for pixels of high loss help where labels are coarse, and where they are fine?",
  cells: [
    ...rows("coarse", "r101-deeplab", "ce", "ohem", "arm"),
    ...rows("fine", "r101-deeplab", "ce", "ohem", "arm"),
    ...rows("ade20k", "s101-deeplab", "ce", "ohem", "arm"),
  ],
};

const table6: Experiment = {
  title: "Table 6: with several scales and flips",
  question:
    "Do the gains last with multi-scale evaluation? The paper's Cityscapes networks are trained on train + val and scored by the test server, which cannot be asked from here: these are trained on train and scored on val. `recipes/*-trainval.yaml` and `armseg submit` are the paper's own.",
  cells: [
    ...multiScale("fine", "r101-deeplab", "ce", "ohem", "linear", "arm"),
    ...multiScale("coarse", "r101-deeplab", "ce", "ohem", "linear", "arm"),
    ...multiScale("ade20k", "s101-deeplab", "ce", "ohem", "linear", "arm"),
  ],
  systems: OTHER_SYSTEMS,
};

/**
 * The paper's tables (Liu et al. 2020), by its numbers. Which row stands in which table is in places our reading of it: docs/results.md says where.
 */
export const TABLES = { table1, table2, table3, table4, table5, table6 } as const;

const extension: Experiment = {
  title: "Section 4.5: the coarse extension",
  question: "What do the 19,998 further images with coarse labels give?",
  cells: [...rows("extra", "r101-deeplab", "arm"), ...ours("coarse", "r101-deeplab", "ce", "arm")],
};

const tables: Experiment = {
  title: "Tables 1 to 5",
  question: "All trainings of tables 1 to 5; the tables themselves are then written without any training.",
  cells: distinct([table1, table2, table3, table4, table5].flatMap(({ cells }) => cells)),
};

/** Each training once; ours only what none of the paper's tables has. */
function distinct(cells: readonly Cell[]): Cell[] {
  const found = new Map<string, Cell>();
  for (const cell of cells) {
    const key = `${cell.data} ${cell.network} ${cell.method}`;
    if (found.get(key)?.isOurs ?? true) found.set(key, cell);
  }
  return [...found.values()];
}

/** What is trained and shown as a table. */
export const GRIDS = { ...TABLES, extension, tables } as const;

export type GridName = keyof typeof GRIDS;
