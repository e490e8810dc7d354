import type { Tensor } from "@armseg/torch";
import { argumentError } from "../core/argument-error.ts";
import { namedBins } from "../losses/index.ts";

/** Mean loss and weight of pixels by their confidence (the paper's Figure 5), one entry a bin. */
export interface LossProfile {
  /** Confidence u in the middle of the bin, in [−1, 1]. */
  readonly confidence: readonly number[];
  /** Pixels in the bin; not whole, since a pixel is shared by the two knots next to it. */
  readonly count: readonly number[];
  /** Mean loss, in nats; NaN in a bin without pixels. */
  readonly meanLoss: readonly number[];
  /** Mean weight W(u); NaN in a bin without pixels. */
  readonly meanWeight: readonly number[];
}

/**
 * Figure 5 from the bins that a `SegmentationLoss` returns, summed over as many batches as wanted.
 *
 * A network without a curve is profiled with the flat one: `new LinearCurve({ slope: 0, intercept: 1 })`.
 *
 * @param bins - float64 `[4, K + 1]`: `report.bins.sums` of a loss, or the sum of several.
 * @param options.binCount - Bins of the profile, at most K + 1. Default 64.
 * @throws {RangeError} If the bins are empty, or fewer than `binCount`.
 */
export function lossProfile(bins: Tensor | null, options: { binCount?: number } = {}): LossProfile {
  const binCount = options.binCount ?? 64;
  const knots = bins?.size(1) ?? 0;
  if (!bins || knots < Math.max(2, binCount)) {
    throw argumentError(
      "lossProfile",
      `bins of at least ${Math.max(2, binCount)} knots`,
      bins ? knots : "none",
      "call the loss with a curve, if only the flat one, and with statistics",
    );
  }
  const { count: pixels, weightSum, lossSum } = namedBins(bins.toTypedArray() as Float64Array);
  const [count, weight, loss] = [pixels, weightSum, lossSum].map((sums) => grouped(sums, binCount)) as [
    number[],
    number[],
    number[],
  ];
  const position = Float64Array.from({ length: knots }, (_, k) => (2 * k) / (knots - 1) - 1);
  const ones = grouped(new Float64Array(knots).fill(1), binCount);
  return {
    confidence: ratios(grouped(position, binCount), ones),
    count,
    meanLoss: ratios(loss, count),
    meanWeight: ratios(weight, count),
  };
}

/** Sums of neighbouring values, so that `groups` are left. */
function grouped(values: Float64Array, groups: number): number[] {
  const sums = new Array<number>(groups).fill(0);
  for (const [k, value] of values.entries()) {
    const group = Math.floor((k * groups) / values.length);
    sums[group] = (sums[group] as number) + value;
  }
  return sums;
}

function ratios(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, i) => (b[i] === 0 ? Number.NaN : value / (b[i] as number)));
}
