import type { Tensor } from "@armseg/torch";

/**
 * Returns ŵ = W / (Σ W^p)^{1/p}: weights of p-norm 1 (the L2 normalisation of Liu et al.
 * 2020, sections 3.3 and 4.2; p = 2 by default, 1 and 3 in Table 2).
 *
 * The gradient flows through the norm. Where all weights are 0 the result is 0 with zero gradient.
 *
 * @param weights - Of any shape, not negative, 0 at pixels that take no part.
 * @param p - At least 1.
 */
export function pNormalised(weights: Tensor, p: number): Tensor {
  const total = (p === 1 ? weights : weights.pow(p)).sum();
  const isEmpty = total.eq(0);
  // Both fills stop the gradient: the outer one that of 0/norm, the inner one the infinite slope of the root at 0.
  const norm = total.maskedFill(isEmpty, 1).pow(1 / p);
  return weights.div(norm).maskedFill(isEmpty, 0);
}

/**
 * Returns w̃ = ŵ / stopgrad(Σ ŵ): weights that sum to 1, so that Q has the magnitude of a mean (the L1 normalisation
 * after the other, section 4.2).
 *
 * The sum must be a constant to the gradient. Were it differentiable, both divisions together would be the L1 norm
 * alone, whatever p: the case that the paper's Table 2 reports as NaN.
 */
export function sumToOne(weights: Tensor): Tensor {
  const total = weights.detach().sum();
  return weights.div(total.maskedFill(total.eq(0), 1));
}

/**
 * Returns the weight map of raw weights: w̃ = ŵ / stopgrad(Σ ŵ) with ŵ = W / (Σ W^p)^{1/p}; sums to 1, in float64.
 *
 * Weights of a million pixels are near 1e-6 and their p-th powers far below: float64 costs little on a map without a
 * class dimension, and sums stay exact enough for any p.
 *
 * @param weights - W(u), `[N, H, W]`, not negative, 0 where ignored.
 */
export function weightMap(weights: Tensor, p: number): Tensor {
  return sumToOne(pNormalised(weights.to("float64"), p));
}

/**
 * Returns the reweighted objective Q = Σ_i w̃_i · l_i, which the network minimises and the curve maximises (Liu et al. 2020, section 3.3).
 *
 * dQ/dl_i = w_i/S1 and dQ/dw_i = (l_i − SL·w_i^{p−1}/Sp)/S1, with S1 = Σw, Sp = Σw^p, SL = Σ w·l. A pixel gains weight
 * where its loss exceeds a multiple of w^{p−1}: at rest w ∝ l^{1/(p−1)}, Hölder's optimum.
 *
 * @param weights - W(u), `[N, H, W]`, not negative, 0 where ignored.
 * @param lossMap - l, `[N, H, W]`, 0 where ignored.
 * @returns Float64, `[]`; 0 with zero gradient if all weights are 0.
 */
export function objective(weights: Tensor, lossMap: Tensor, p: number): Tensor {
  return weightMap(weights, p).mul(lossMap.to("float64")).sum();
}
