/**
 * Returns the curve that maximises Q for a fixed loss profile: W_k ∝ L_k^{1/(p−1)} under Σ n_k W_k^p = 1.
 *
 * Equality in Hölder's inequality, the optimum of the paper's Theorem 3.1; p = 2 gives W ∝ L. Bins of no or negative loss get no weight.
 * For p = 1 all weight goes to the bin of the largest loss, the limit of p → 1 and the reason why L1 diverges in Table 2.
 *
 * @param meanLoss - L_k, mean loss of the pixels at the k-th confidence, in nats. NaN marks a bin without pixels.
 * @param p - Norm, at least 1.
 * @param counts - n_k, pixels in each bin; all 1 if left out.
 * @returns W_k, one per bin; all 0 if no loss is positive, NaN for bins without pixels.
 */
export function hoelderOptimum(
  meanLoss: readonly number[],
  p: number,
  counts?: readonly number[],
): readonly number[] {
  const largest = meanLoss.reduce((a, b) => (Number.isNaN(b) ? a : Math.max(a, b)), 0);
  const shape = meanLoss.map((loss) => optimumShape(largest > 0 ? loss / largest : loss, p));
  const norm = shape.reduce((sum, w, k) => sum + (w > 0 ? (counts?.[k] ?? 1) * w ** p : 0), 0) ** (1 / p);
  return norm === 0 ? shape : shape.map((w) => w / norm);
}

/** The optimum up to a factor, of a loss relative to the largest one. */
function optimumShape(relativeLoss: number, p: number): number {
  if (Number.isNaN(relativeLoss)) return Number.NaN;
  if (p === 1) return relativeLoss === 1 ? 1 : 0;
  return Math.max(relativeLoss, 0) ** (1 / (p - 1));
}

/** A curve at some time of the training, and the losses that it met. */
export interface MeasuredCurve {
  /** Norm of the weights. */
  readonly p: number;
  /** Confidences at which the curve is given, ascending in [-1, 1]. */
  readonly knots: readonly number[];
  /** W at each knot. */
  readonly weights: readonly number[];
  /** In nats, in even bins of [-1, 1]; NaN where no pixel fell into the bin. */
  readonly meanLossPerBin: readonly number[];
  readonly countPerBin: readonly number[];
}

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
 * Sets the learned curve beside {@link hoelderOptimum} for the losses that it met.
 *
 * Both are scaled so that the pixels' power mean of order p is 1, (Σ n W^p / Σ n)^(1/p) = 1: the norm under which they
 * compete. Weight 1 is then that of an average pixel.
 *
 * @returns Undefined for p = 1, which has no optimum, and where no pixel was counted.
 */
export function curveAgainstOptimum(curve: MeasuredCurve): CurveAgainstOptimum | undefined {
  const { p, knots, weights, countPerBin, meanLossPerBin } = curve;
  const bins = countPerBin.length;
  if (p <= 1 || !countPerBin.some((count) => count > 0)) return undefined;
  const confidence = countPerBin.map((_, i) => (2 * (i + 0.5)) / bins - 1);
  const atCentres = confidence.map((u) => interpolate(knots, weights, u));
  const learned = ofPowerMeanOne(atCentres, p, countPerBin);
  const optimum = ofPowerMeanOne(hoelderOptimum(meanLossPerBin, p, countPerBin), p, countPerBin);
  return { confidence, learned, optimum, correlation: correlation(learned, optimum, countPerBin) };
}

function ofPowerMeanOne(values: readonly number[], p: number, counts: readonly number[]): number[] {
  const powers = values.map((value) => value ** p);
  const mean = weightedMean(powers, counts) ** (1 / p);
  return values.map((value) => value / mean);
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
