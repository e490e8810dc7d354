import type { Parameter, Tensor } from "../tensor.ts";
import { ops } from "../tensor.ts";
import { weightAndBias } from "./default-init.ts";
import { Module } from "./module.ts";

/** x·Wᵀ + b, from `[..., in]` to `[..., out]`. */
export class Linear extends Module {
  /** `[out, in]`. */
  readonly weight: Parameter;
  /** `[out]`. */
  readonly bias: Parameter | null;

  constructor(inFeatures: number, outFeatures: number, options: { bias?: boolean } = {}) {
    super();
    const made = weightAndBias([outFeatures, inFeatures], options.bias ?? true);
    this.weight = made.weight;
    this.bias = made.bias;
  }

  forward(input: Tensor): Tensor {
    return ops.linear(input, this.weight, this.bias);
  }
}
