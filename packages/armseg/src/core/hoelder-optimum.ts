import type { CurveRecord } from "../runs/records.ts";

/** The learned curve and the one that theory expects, per confidence bin, in the same unit. */
export interface CurveAgainstOptimum {
  /** Centre of each bin, in [-1, 1]. */
  readonly confidence: readonly number[];
  readonly learned: readonly number[];
  /** NaN where no pixel fell into the bin. */
  readonly optimum: readonly number[];
  /** Pearson's correlation of the two over the bins, each counted by its pixels. */
  readonly correlation: number;
}

/**
 * The learned curve beside the optimum of the adversary's problem, W ∝ L^(1/(p−1)) for the mean loss L per bin
 * (Hölder's inequality with equality).
 *
 * Both are scaled so that the pixels' power mean of order p is 1, (Σ n W^p / Σ n)^(1/p) = 1: the norm under which they
 * compete. Weight 1 is then that of an average pixel.
 *
 * @returns Undefined for p = 1, which has no optimum, and where no pixel was counted.
 */
export function curveAgainstOptimum(record: CurveRecord): CurveAgainstOptimum | undefined {
  const { p, countPerBin, meanLossPerBin } = record;
  const bins = countPerBin.length;
  if (p <= 1 || !countPerBin.some((count) => count > 0)) return undefined;
  const confidence = countPerBin.map((_, i) => (2 * (i + 0.5)) / bins - 1);
  const learned = confidence.map((u) => interpolate(record.knots, record.weights, u));
  const optimum = meanLossPerBin.map((loss) => loss ** (1 / (p - 1)));
  const toUnit = (values: readonly number[]) => {
    const norm =
      weightedMean(
        values.map((value) => value ** p),
        countPerBin,
      ) **
      (1 / p);
    return values.map((value) => value / norm);
  };
  const [a, b] = [toUnit(learned), toUnit(optimum)];
  return { confidence, learned: a, optimum: b, correlation: correlation(a, b, countPerBin) };
}

/** Mean of the values, each counted so many times; what is counted zero times may be NaN. */
function weightedMean(values: readonly number[], counts: readonly number[]): number {
  let sum = 0;
  let total = 0;
  for (const [i, count] of counts.entries()) {
    if (count === 0) continue;
    sum += count * values[i]!;
    total += count;
  }
  return sum / total;
}

function correlation(a: readonly number[], b: readonly number[], counts: readonly number[]): number {
  const [meanA, meanB] = [weightedMean(a, counts), weightedMean(b, counts)];
  const moment = (x: readonly number[], mx: number, y: readonly number[], my: number) =>
    weightedMean(
      x.map((value, i) => (value - mx) * (y[i]! - my)),
      counts,
    );
  return moment(a, meanA, b, meanB) / Math.sqrt(moment(a, meanA, a, meanA) * moment(b, meanB, b, meanB));
}

function interpolate(knots: readonly number[], values: readonly number[], at: number): number {
  const after = Math.max(
    1,
    knots.findIndex((knot) => knot >= at),
  );
  const [left, right] = [knots[after - 1]!, knots[after]!];
  const fraction = (at - left) / (right - left);
  return values[after - 1]! * (1 - fraction) + values[after]! * fraction;
}
