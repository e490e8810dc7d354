import { textTable } from "../core/text-table.ts";
import type { Metrics } from "./metrics.ts";

/**
 * The scores as lines of text, in percent: one line a class, the means last.
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
    throw new RangeError(
      `metricsTable(): expected ${metrics.iou.length} class names, got ${classNames.length}.`,
    );
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

/** A share in percent with two decimals, or that there was nothing to measure. */
export function score(share: number): string {
  return Number.isNaN(share) ? "no pixels" : (100 * share).toFixed(2);
}
