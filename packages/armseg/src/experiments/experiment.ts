import type { MethodName } from "./methods.ts";

/**
 * Which data and annotations; `wrong` are coarse labels some of whose polygons have another class, `extra` the 19,998 images with
 * coarse labels alone.
 */
export type DataKind = "coarse" | "wrong" | "fine" | "extra" | "ade20k";

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
  /** No more seeds than these, however many are asked for. */
  readonly mostSeeds?: number;
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
  /** Whether it is told how much of the gap between the base and plain cross entropy on fine labels each entry leaves. */
  readonly hasGap?: true;
  /** To read the entries beside. */
  readonly systems?: readonly PublishedSystem[];
}
