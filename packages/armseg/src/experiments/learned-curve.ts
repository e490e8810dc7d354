import type { Tensor } from "@armseg/torch";
import { hoelderOptimum } from "../reweighting/hoelder.ts";
import type { LossProfile } from "./loss-profile.ts";
import { lossProfile } from "./loss-profile.ts";

/** The learned weights beside the best ones for the same losses, one entry a bin. */
export interface CurveComparison extends LossProfile {
  /** Mean learned weight of the bin, scaled to Σ n·W^p = 1. */
  readonly learned: readonly number[];
  /** Hölder's optimum L^(1/(p−1)), scaled likewise. */
  readonly optimum: readonly number[];
  /** Pearson's correlation of the two over the pixels, each bin counting by its pixels; NaN if either is constant. */
  readonly correlation: number;
}

/**
 * How near the learned curve is to the optimum for the losses that it met.
 *
 * @param bins - float64 `[4, K + 1]`, of the loss; see {@link lossProfile}.
 * @param p - The norm that the curve was trained with; above 1, since for p = 1 the optimum is a single bin.
 */
export function compareWithOptimum(
  bins: Tensor,
  p: number,
  options: { binCount?: number } = {},
): CurveComparison {
  if (!(p > 1)) throw new RangeError(`compareWithOptimum(): expected p above 1, got ${p}`);
  const profile = lossProfile(bins, options);
  const optimum = [...hoelderOptimum(profile.meanLoss, p, profile.count)];
  const learned = scaled(profile.meanWeight, profile.count, p);
  return { ...profile, learned, optimum, correlation: correlation(learned, optimum, profile.count) };
}

function scaled(weights: readonly number[], count: readonly number[], p: number): number[] {
  const total = weights.reduce((sum, w, k) => sum + (w > 0 ? (count[k] as number) * w ** p : 0), 0);
  return weights.map((w) => w / (total || 1) ** (1 / p));
}

/** Pearson's correlation with each pair counted `count` times; pairs that are counted 0 times may be NaN. */
function correlation(a: readonly number[], b: readonly number[], count: readonly number[]): number {
  const average = (f: (k: number) => number): number => {
    let [sum, total] = [0, 0];
    for (const [k, n] of count.entries()) {
      if (n === 0) continue;
      sum += n * f(k);
      total += n;
    }
    return sum / total;
  };
  const [x, y] = [(k: number) => a[k] as number, (k: number) => b[k] as number];
  const [meanX, meanY] = [average(x), average(y)];
  const covariance = average((k) => (x(k) - meanX) * (y(k) - meanY));
  return covariance / Math.sqrt(average((k) => (x(k) - meanX) ** 2) * average((k) => (y(k) - meanY) ** 2));
}
