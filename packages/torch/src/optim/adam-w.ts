import type { Parameter, Tensor } from "../tensor.ts";
import { ops } from "../tensor.ts";
import type { AdamOptions, AdamSettings } from "./adam.ts";
import { Adam } from "./adam.ts";
import type { GroupOptions, ParameterGroup, ParameterSource } from "./optimizer.ts";

const WEIGHT_DECAY = 0.01;

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter 2019), as PyTorch's: p *= 1 − learningRate·λ, then {@link Adam}'s step with d = g.
 *
 * Weight decay is 0.01 unless told otherwise.
 */
export class AdamW extends Adam {
  constructor(parameters: ParameterSource | readonly GroupOptions<AdamSettings>[], options: AdamOptions) {
    super(parameters, { weightDecay: WEIGHT_DECAY, ...options });
  }

  protected override decay(
    { learningRate, weightDecay }: ParameterGroup<AdamSettings>,
    parameters: readonly Parameter[],
    gradients: readonly Tensor[],
  ): readonly Tensor[] {
    ops._foreachMul_(parameters, 1 - learningRate * weightDecay);
    return gradients;
  }
}
