/**
 * The curve that maximises Q for a fixed loss profile: W_k ∝ L_k^{1/(p−1)} under Σ n_k W_k^p = 1.
 *
 * Equality in Hölder's inequality, the optimum of the paper's Theorem 3.1; p = 2 gives W ∝ L. Bins of no or negative loss get no weight.
 * For p = 1 all weight goes to the bin of the largest loss, the limit of p → 1 and the reason why L1 diverges in Table 2.
 *
 * @param meanLoss - L_k, mean loss of the pixels at the k-th confidence, in nats. NaN marks a bin without pixels.
 * @param p - Norm, at least 1.
 * @param counts - n_k, pixels in each bin; all 1 if left out.
 * @returns W_k, one a bin; all 0 if no loss is positive, NaN for bins without pixels.
 */
export function hoelderOptimum(
  meanLoss: ArrayLike<number>,
  p: number,
  counts?: ArrayLike<number>,
): Float64Array {
  const losses = Float64Array.from(meanLoss);
  const largest = losses.reduce((a, b) => (Number.isNaN(b) ? a : Math.max(a, b)), 0);
  const shape = losses.map((loss) => optimumShape(largest > 0 ? loss / largest : loss, p));
  const norm = shape.reduce((sum, w, k) => sum + (w > 0 ? (counts?.[k] ?? 1) * w ** p : 0), 0) ** (1 / p);
  return norm === 0 ? shape : shape.map((w) => w / norm);
}

/** The optimum up to a factor, of a loss relative to the largest one. */
function optimumShape(relativeLoss: number, p: number): number {
  if (Number.isNaN(relativeLoss)) return Number.NaN;
  if (p === 1) return relativeLoss === 1 ? 1 : 0;
  return Math.max(relativeLoss, 0) ** (1 / (p - 1));
}
