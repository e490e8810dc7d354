import { noGrad } from "../autograd.ts";
import type { Parameter, Tensor } from "../tensor.ts";
import { ops } from "../tensor.ts";

function gradientsOf(parameters: Iterable<Parameter>): Tensor[] {
  return Array.from(parameters, (parameter) => parameter.grad).filter((grad) => grad !== null);
}

function normOf(gradients: readonly Tensor[]): Tensor {
  return gradients.length === 0 ? ops.zeros([]) : ops.stack(ops._foreachNorm(gradients, 2)).norm();
}

/** Returns the 2-norm of all gradients together, `[]`; parameters without a gradient do not count. */
export function gradNorm(parameters: Iterable<Parameter>): Tensor {
  return noGrad(() => normOf(gradientsOf(parameters)));
}

/**
 * Scales the gradients down, in place, so that the 2-norm of all of them together is at most `maxNorm`.
 *
 * @returns The norm before, `[]`; parameters without a gradient do not count.
 */
export function clipGradNorm(parameters: Iterable<Parameter>, maxNorm: number): Tensor {
  return noGrad(() => {
    const gradients = gradientsOf(parameters);
    const norm = normOf(gradients);
    if (gradients.length === 0) return norm;
    // A tensor, not a number: an accelerator need not be waited for.
    const factor = norm.add(1e-6).reciprocal().mul(maxNorm).clamp(null, 1);
    ops._foreachMul_(gradients, new Array<Tensor>(gradients.length).fill(factor));
    return norm;
  });
}
