import type { MethodName } from "./methods.ts";

/** Which data and annotations; `extra` are the 19,998 images with coarse labels alone. */
export type DataKind = "coarse" | "fine" | "extra" | "ade20k";

/** The paper's networks: backbone and head. Smaller scales put one of their own in place of some. */
export type NetworkKind = "r50-deeplab" | "r101-deeplab" | "r101-ocr" | "s101-deeplab";

/** Scores in percent, as published; what the paper does not give is absent. */
export interface PaperFigures {
  readonly aAcc?: number;
  readonly mAcc?: number;
  readonly mIoU?: number | "NaN";
  /** Default val, single scale. */
  readonly on?: "test";
}

/** One cell of an experiment: what is trained, and what the paper reports for it. */
export interface Cell {
  readonly data: DataKind;
  readonly network: NetworkKind;
  readonly method: MethodName;
  readonly paper: PaperFigures;
  /** Evaluated with several scales and flips. */
  readonly isMultiScale?: true;
  /** The method that it is compared with, of the same data and network. Default ce. */
  readonly base?: MethodName;
}

/** A system of others that is not trained here, with the figure that they publish. */
export interface PublishedFigure {
  /** Data and annotations. */
  readonly setting: string;
  readonly system: string;
  /** Percent. */
  readonly mIoU: number;
  /** The split, and how it was evaluated. */
  readonly on: string;
  readonly source: string;
}

/** Cells that belong together. */
export interface Experiment {
  readonly title: string;
  /** What it asks, for the reader of its result. */
  readonly question: string;
  readonly cells: readonly Cell[];
  /** To read the cells beside. */
  readonly published?: readonly PublishedFigure[];
}
