import { argumentError } from "../core/argument-error.ts";
import { textTable } from "../core/text-table.ts";
import type { ConfusionMatrix } from "./confusion-matrix.ts";

/** Scores of a set, as fractions in [0, 1]; NaN where there is nothing to divide by. */
export interface Metrics {
  /** Share of the labelled pixels that are right. */
  readonly aAcc: number;
  /** Mean of {@link accuracy} over the classes that have it. */
  readonly mAcc: number;
  /** Mean of {@link iou} over the classes that have it. */
  readonly mIoU: number;
  /** I / (P + G − I); NaN where the class is neither labelled nor predicted. */
  readonly iou: readonly number[];
  /** I / G; NaN where the class is not labelled. */
  readonly accuracy: readonly number[];
  /** Pixels of each class in the labels. */
  readonly labelPixels: readonly number[];
  /** Pixels counted. */
  readonly pixels: number;
}

/**
 * Computes accuracies and intersections over union of a confusion matrix, over the whole set and not image by image.
 *
 * As mmsegmentation's `iou_metric.py` (means by nanmean): a class that is predicted but never labelled counts with IoU 0; detectron2 leaves it out.
 */
export function computeMetrics(confusion: ConfusionMatrix): Metrics {
  const classes = Array.from({ length: confusion.numClasses }, (_, i) => i);
  const right = classes.map((c) => confusion.at(c, c));
  const labelPixels = classes.map((c) => sum(classes.map((prediction) => confusion.at(c, prediction))));
  const predicted = classes.map((c) => sum(classes.map((label) => confusion.at(label, c))));
  const iou = classes.map((c) => right[c]! / (predicted[c]! + labelPixels[c]! - right[c]!));
  const accuracy = classes.map((c) => right[c]! / labelPixels[c]!);
  const pixels = sum(labelPixels);
  return {
    aAcc: sum(right) / pixels,
    mAcc: nanMean(accuracy),
    mIoU: nanMean(iou),
    iou,
    accuracy,
    labelPixels,
    pixels,
  };
}

/** Returns the final score of the ADE20K scene parsing challenge: (pixel accuracy + mIoU) / 2. */
export function adeScore({ aAcc, mIoU }: Pick<Metrics, "aAcc" | "mIoU">): number {
  return (aAcc + mIoU) / 2;
}

/** Returns the mean of the numbers that are numbers; NaN if there is none. */
export function nanMean(values: readonly number[]): number {
  const present = values.filter((value) => !Number.isNaN(value));
  return sum(present) / present.length;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/**
 * Formats the scores as lines of text, in percent: one line per class, the means last.
 *
 * @param boundary - Boundary IoU of each class and its mean, for a column of its own.
 * @throws {RangeError} If there are not as many names as classes.
 */
export function metricsTable(
  metrics: Metrics,
  classNames: readonly string[],
  boundary?: { readonly mean: number; readonly iou: readonly number[] },
): string {
  if (classNames.length !== metrics.iou.length)
    throw argumentError("metricsTable", `${metrics.iou.length} class names`, classNames.length);
  const head = ["class", "IoU", "accuracy", ...(boundary ? ["boundary IoU"] : []), "share of pixels"];
  const rows = classNames.map((name, c) => [
    name,
    score(metrics.iou[c]!),
    score(metrics.accuracy[c]!),
    ...(boundary ? [score(boundary.iou[c]!)] : []),
    score(metrics.labelPixels[c]! / metrics.pixels),
  ]);
  const means = [
    "mean",
    score(metrics.mIoU),
    score(metrics.mAcc),
    ...(boundary ? [score(boundary.mean)] : []),
    "",
  ];
  const total = `Pixel accuracy (aAcc) ${score(metrics.aAcc)}, ${metrics.pixels.toLocaleString("en-GB")} pixels; all in percent.`;
  return `${textTable([head, ...rows, means]).join("\n")}\n${total}\n`;
}

/** Formats a share in percent with two decimals, or that there was nothing to measure. */
function score(share: number): string {
  return Number.isNaN(share) ? "no pixels" : (100 * share).toFixed(2);
}
