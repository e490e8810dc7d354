import type { MethodName } from "./methods.ts";

/** Which data and annotations; `extra` are the 19,998 images with coarse labels alone. */
export type DataKind = "coarse" | "fine" | "extra" | "ade20k";

/** The paper's networks: backbone and head. Smaller presets put one of their own in place of some. */
export type NetworkKind = "r50-deeplab" | "r101-deeplab" | "r101-ocr" | "s101-deeplab";

/** Scores in percent, as published. Absent: the paper has none. `null`: it prints one, and we have no record of it. */
export interface PaperFigures {
  readonly aAcc?: number | null;
  readonly mAcc?: number | null;
  readonly mIoU?: number | "NaN";
  /** Default val, single preset. */
  readonly on?: "test";
}

/** One entry of an experiment: what is trained, and what the paper reports for it. */
export interface ExperimentEntry {
  readonly data: DataKind;
  readonly network: NetworkKind;
  readonly method: MethodName;
  readonly paper: PaperFigures;
  /** Not a row of the paper's table: it stands beside it. */
  readonly isOurs?: true;
  /** Evaluated with several scales and flips. */
  readonly isMultiScale?: true;
  /** The method that it is compared with, of the same data and network. Default ce. */
  readonly base?: MethodName;
}

/** A system of others that is not trained here, with what the paper says of it. */
export interface PublishedSystem {
  readonly name: string;
  readonly backbone: string;
  /** mIoU in percent on the test split of Cityscapes, fine annotations. */
  readonly cityscapes: number | null;
  /** mIoU in percent on ADE20K's val. */
  readonly ade20k: number | null;
}

/** Entries that belong together. */
export interface Experiment {
  readonly title: string;
  /** What it asks, for the reader of its result. */
  readonly question: string;
  readonly entries: readonly ExperimentEntry[];
  /** To read the entries beside. */
  readonly systems?: readonly PublishedSystem[];
}
