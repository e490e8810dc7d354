import type { Tensor } from "@armseg/torch";
import { pNormalised, sumToOne } from "./normalisation.ts";

/**
 * Weight map of raw weights: w̃ = ŵ / stopgrad(Σ ŵ) with ŵ = W / (Σ W^p)^{1/p}; sums to 1, in float64.
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
 * The weighted loss Q = Σ_i w̃_i · l_i, which the network minimises and the curve maximises (Liu et al. 2020, section 3.3).
 *
 * dQ/dl_i = w_i/S1 and dQ/dw_i = (l_i − SL·w_i^{p−1}/Sp)/S1, with S1 = Σw, Sp = Σw^p, SL = Σ w·l.
 *
 * @param weights - W(u), `[N, H, W]`, not negative, 0 where ignored.
 * @param lossMap - l, `[N, H, W]`, 0 where ignored.
 * @returns Float64, `[]`; 0 with zero gradient if all weights are 0.
 */
export function objective(weights: Tensor, lossMap: Tensor, p: number): Tensor {
  return weightMap(weights, p).mul(lossMap.to("float64")).sum();
}

/**
 * dQ/dw_i = (l_i − SL·w_i^{p−1}/Sp)/S1 in closed form: what {@link objective} differentiates to.
 *
 * A pixel gains weight where its loss exceeds a multiple of w^{p−1}: at rest w ∝ l^{1/(p−1)}, Hölder's optimum.
 *
 * @returns Float64, of the shape of `weights`; 0 if all weights are 0.
 */
export function objectiveGradient(weights: Tensor, lossMap: Tensor, p: number): Tensor {
  const [w, l] = [weights.detach().to("float64"), lossMap.detach().to("float64")];
  const s1 = w.sum().item();
  if (s1 === 0) return w.mul(0);
  const power = w.pow(p - 1);
  const sp = power.mul(w).sum().item();
  const sl = w.mul(l).sum().item();
  return l.sub(power.mul(sl / sp)).div(s1);
}
