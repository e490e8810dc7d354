/** How much one series of scores lies above another, pair by pair. */
export interface PairedDifference {
  readonly mean: number;
  /** Sample standard deviation (n - 1); NaN of a single pair. */
  readonly deviation: number;
  /** 95 % confidence interval of the mean difference, by Student's t; NaN of a single pair. */
  readonly interval: readonly [low: number, high: number];
}

/** Scores of one method over the seeds. */
export interface Comparison {
  readonly name: string;
  /** By seed. */
  readonly scores: readonly number[];
  readonly mean: number;
  /** Sample standard deviation (n - 1); NaN of a single score. */
  readonly deviation: number;
  /** To the first method, seed by seed; absent for it. */
  readonly difference?: PairedDifference;
}

/** Two-sided 5 % points of Student's t for 1 to 30 degrees of freedom. */
const T_95 = [
  12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.306, 2.2622, 2.2281, 2.201, 2.1788, 2.1604,
  2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.093, 2.086, 2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555,
  2.0518, 2.0484, 2.0452, 2.0423,
];

/** Returns the two-sided 5 % point; beyond the table the first terms of the expansion around the normal distribution (Cornish-Fisher): right to 0.0002. */
function studentT(degrees: number): number {
  const z = 1.959964;
  const [first, second] = [(z ** 3 + z) / 4, (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96];
  return T_95[degrees - 1] ?? z + first / degrees + second / degrees ** 2;
}

/** Returns the mean; NaN of nothing. */
export function mean(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Returns the sample standard deviation (n - 1); NaN of fewer than two values. */
export function deviation(values: readonly number[]): number {
  if (values.length < 2) return Number.NaN;
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}

/**
 * Compares two series of scores pair by pair: what both owe to the same seed cancels.
 *
 * @param scores - As many as `base`, or fewer: the first ones count.
 */
export function pairedDifference(scores: readonly number[], base: readonly number[]): PairedDifference {
  const pairs = scores.slice(0, base.length).map((score, i) => score - base[i]!);
  const [centre, spread] = [mean(pairs), deviation(pairs)];
  const half =
    pairs.length < 2 ? Number.NaN : (studentT(pairs.length - 1) * spread) / Math.sqrt(pairs.length);
  return { mean: centre, deviation: spread, interval: [centre - half, centre + half] };
}

/** How large one mean is in parts of another. */
export interface RatioOfMeans {
  readonly ratio: number;
  /** 95 % confidence interval; NaN of a single pair, infinite where the divisor may be 0. */
  readonly interval: readonly [low: number, high: number];
}

/**
 * Returns the ratio of two means of paired values, with Fieller's interval (1954): all ratios r for which the mean of a − r·b does
 * not differ from 0 by Student's t.
 */
export function ratioOfMeans(a: readonly number[], b: readonly number[]): RatioOfMeans {
  const n = Math.min(a.length, b.length);
  const [first, second] = [a.slice(0, n), b.slice(0, n)];
  const [meanA, meanB] = [mean(first), mean(second)];
  const ratio = meanA / meanB;
  if (n < 2) return { ratio, interval: [Number.NaN, Number.NaN] };
  const factor = studentT(n - 1) ** 2 / n;
  const variance = (x: readonly number[], y: readonly number[]) =>
    x.reduce((sum, value, i) => sum + (value - mean(x)) * (y[i]! - mean(y)), 0) / (n - 1);
  // r²·(meanB² − f·varB) − 2r·(meanA·meanB − f·cov) + (meanA² − f·varA) = 0
  const square = meanB ** 2 - factor * variance(second, second);
  const half = meanA * meanB - factor * variance(first, second);
  const constant = meanA ** 2 - factor * variance(first, first);
  if (square <= 0) return { ratio, interval: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] };
  const root = Math.sqrt(Math.max(0, half ** 2 - square * constant));
  return { ratio, interval: [(half - root) / square, (half + root) / square] };
}

/**
 * Compares methods with the first one: means, deviations and paired differences.
 *
 * @param scores - By method, then by seed, the same seeds in the same order for all; later seeds may be missing.
 */
export function compareScores(
  names: readonly string[],
  scores: readonly (readonly number[])[],
): Comparison[] {
  return names.map((name, i) => {
    const own = scores[i]!;
    return {
      name,
      scores: own,
      mean: mean(own),
      deviation: deviation(own),
      ...(i > 0 && { difference: pairedDifference(own, scores[0]!) }),
    };
  });
}
