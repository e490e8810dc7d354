import type { Tensor } from "@armseg/torch";

/**
 * ŵ = W / (Σ W^p)^{1/p}: weights of p-norm 1 (the L2 normalisation of Liu et al. 2020,
 * sections 3.3 and 4.2; p = 2 by default, 1 and 3 in Table 2).
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
 * w̃ = ŵ / stopgrad(Σ ŵ): weights that sum to 1, so that Q has the magnitude of a mean (the L1 normalisation after
 * the other, section 4.2).
 *
 * The sum must be a constant to the gradient. Were it differentiable, both divisions together would be the L1 norm
 * alone, whatever p: the case that the paper's Table 2 reports as NaN.
 */
export function sumToOne(weights: Tensor): Tensor {
  const total = weights.detach().sum();
  return weights.div(total.maskedFill(total.eq(0), 1));
}
