import type { DataKind, Experiment, ExperimentEntry, NetworkKind } from "./experiment.ts";
import type { MethodName } from "./methods.ts";
import { MULTI_SCALE, OTHER_SYSTEMS, SINGLE_SCALE } from "./paper-figures.ts";

/** What is compared with another loss than plain cross entropy. */
const BASES: Readonly<Partial<Record<MethodName, MethodName>>> = {
  "gce-arm": "gce",
  "kl-arm": "kl",
  "kl-arm-uncertainty": "kl",
};

/** Rows of the paper's table. */
function rows(data: DataKind, network: NetworkKind, ...methods: readonly MethodName[]): ExperimentEntry[] {
  return methods.map((method) => {
    const base = BASES[method];
    const paper = SINGLE_SCALE[data]?.[network]?.[method] ?? {};
    return { data, network, method, paper, ...(base && { base }) };
  });
}

/** Rows that the paper's table does not have: their figures are those of another of its tables, or there are none. */
function ours(data: DataKind, network: NetworkKind, ...methods: readonly MethodName[]): ExperimentEntry[] {
  return rows(data, network, ...methods).map((entry) => ({ ...entry, isOurs: true }));
}

function multiScale(
  data: DataKind,
  network: NetworkKind,
  ...methods: readonly MethodName[]
): ExperimentEntry[] {
  return methods.map((method) => {
    const paper = MULTI_SCALE[data]?.[network]?.[method] ?? {};
    return { data, network, method, paper, isMultiScale: true };
  });
}

const table1: Experiment = {
  title: "Table 1: suppressing, focusing, detaching",
  question:
    "Does suppressing confident pixels help on coarse labels, does focusing on them hurt, and what happens if the network may move its confidence?",
  entries: [
    ...rows("coarse", "r101-deeplab", "ce", "linear", "linear-focus", "linear-no-detach"),
    ...ours("coarse", "r101-deeplab", "ohem", "arm"),
  ],
};

const table2: Experiment = {
  title: "Table 2: what ARM reads, and its norm",
  question: "Which indicator of confidence, and which p of the first normalisation?",
  entries: [
    ...ours("coarse", "r101-deeplab", "ce"),
    ...rows("coarse", "r101-deeplab", "arm", "arm-std", "arm-log-var", "arm-entropy", "arm-p1", "arm-p3"),
  ],
};

const table3: Experiment = {
  title: "Table 3: backbones and heads",
  question: "Does ARM help on coarse and on fine labels, whatever the network?",
  entries: [
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
  entries: [
    ...rows("coarse", "r101-deeplab", "ce", "arm", "gce", "gce-arm", "kl", "kl-arm-uncertainty"),
    ...ours("coarse", "r101-deeplab", "kl-arm", "focal", "meta-weight-net"),
  ],
};

const table5: Experiment = {
  title: "Table 5: OHEM and ARM",
  question: "Does looking for pixels of high loss help where labels are coarse, and where they are fine?",
  entries: [
    ...rows("coarse", "r101-deeplab", "ce", "ohem", "arm"),
    ...rows("fine", "r101-deeplab", "ce", "ohem", "arm"),
    ...rows("ade20k", "s101-deeplab", "ce", "ohem", "arm"),
  ],
};

const table6: Experiment = {
  title: "Table 6: with several scales and flips",
  question:
    "Do the gains last with multi-scale evaluation? The paper's Cityscapes networks are trained on train + val and scored by the test server, which cannot be asked from here: these are trained on train and scored on val. `recipes/*-trainval.yaml` and `armseg submit` are the paper's own.",
  entries: [
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
  entries: [...rows("extra", "r101-deeplab", "arm"), ...ours("coarse", "r101-deeplab", "ce", "arm")],
};

const tables: Experiment = {
  title: "Tables 1 to 5",
  question: "All trainings of tables 1 to 5; the tables themselves are then written without any training.",
  entries: distinct([table1, table2, table3, table4, table5].flatMap(({ entries }) => entries)),
};

/** Each training once; ours only what none of the paper's tables has. */
function distinct(entries: readonly ExperimentEntry[]): ExperimentEntry[] {
  const found = new Map<string, ExperimentEntry>();
  for (const entry of entries) {
    const key = `${entry.data} ${entry.network} ${entry.method}`;
    if (found.get(key)?.isOurs ?? true) found.set(key, entry);
  }
  return [...found.values()];
}

/** Entries of no table of the paper's. */
function unpublished(data: DataKind, methods: readonly MethodName[], mostSeeds?: number): ExperimentEntry[] {
  const shared = { data, network: "r101-deeplab", paper: {} } as const;
  return methods.map((method) => ({ ...shared, method, ...(mostSeeds !== undefined && { mostSeeds }) }));
}

const PARTS = [
  "offset",
  "teacher",
  "affinity",
  "without-offset",
  "without-teacher",
  "without-affinity",
] as const satisfies readonly MethodName[];

const correction: Experiment = {
  title: "From coarse to fine",
  question:
    "How much of the gap between coarse and fine labels is left by reweighting and by correction, and what does each part bring?",
  hasGap: true,
  entries: [
    ...unpublished("fine", ["ce", "class-weights"]),
    ...unpublished("coarse", [
      "ce",
      "arm",
      "class-weights",
      "class-weights-arm",
      "corrected",
      "corrected-arm",
    ]),
    ...unpublished("wrong", ["ce", "arm", "class-weights", "class-weights-arm", "corrected-relabel"]),
    // What decides has as many seeds as are asked for, the rest three.
    ...unpublished(
      "coarse",
      [...PARTS, "class-weights-teacher", "class-weights-teacher-arm", "ohem", "linear", "gce", "gce-arm"],
      3,
    ),
    ...unpublished("wrong", ["corrected", "relabel", "gce", "gce-arm"], 3),
  ],
};

/** What is trained and shown as a table. */
export const GRIDS = { ...TABLES, extension, tables } as const;

/** Experiments of ours, which the paper has no figure for. */
export const STUDIES = { correction } as const;

export type GridName = keyof typeof GRIDS | keyof typeof STUDIES;

function coarse(...methods: readonly MethodName[]): ExperimentEntry[] {
  return methods.map((method) => ({ data: "coarse", network: "r101-deeplab", method, paper: {} }));
}

/** The paper's figures, and the study of the curve's convergence: what is trained for them. */
export const FIGURES = {
  figure4: {
    title: "Figure 4: where the variance is low",
    question: "Which pixels does a network that was trained on coarse labels not trust itself in?",
    entries: coarse("ce", "arm"),
  },
  figure5: {
    title: "Figure 5: mean loss by confidence",
    question:
      "How does the loss on coarse labels fall with the confidence, and does reweighting change that?",
    entries: coarse("ce", "linear", "arm"),
  },
  convergence: {
    title: "Convergence of the weight curve",
    question:
      "How soon does W(u) reach Hölder's optimum L^(1/(p−1)), and what learning rate does the curve need in a short training?",
    entries: coarse("arm-x1", "arm-x3", "arm-x10", "arm-x30", "arm-x100", "arm-p3-x10", "arm-p3-x100"),
  },
} as const satisfies Record<string, Experiment>;

export type FigureName = keyof typeof FIGURES;
