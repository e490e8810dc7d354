import { tidy } from "../scope.ts";
import type { Parameter } from "../tensor.ts";
import { ops, parameter } from "../tensor.ts";
import { fansOf, kaimingUniform_, uniform_ } from "./init.ts";

/**
 * Makes weight and bias of a convolution or a linear layer as PyTorch starts them: both uniform within ±1/√fanIn, drawn in
 * that order.
 */
export function weightAndBias(
  shape: readonly number[],
  hasBias: boolean,
): { weight: Parameter; bias: Parameter | null } {
  return tidy(() => {
    const weight = parameter(kaimingUniform_(ops.empty(shape), { slope: Math.sqrt(5) }));
    if (!hasBias) return { weight, bias: null };
    const bound = 1 / Math.sqrt(fansOf(weight).fanIn);
    return { weight, bias: parameter(uniform_(ops.empty([shape[0] as number]), -bound, bound)) };
  });
}
