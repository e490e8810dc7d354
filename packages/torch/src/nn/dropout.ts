import { argumentError } from "../argument-error.ts";
import type { Tensor } from "../tensor.ts";
import { ops } from "../tensor.ts";
import { Module } from "./module.ts";

function probability(name: string, p: number): number {
  if (p >= 0 && p <= 1) return p;
  throw argumentError(name, "a probability in [0, 1]", p);
}

/** In training, sets each value to zero with probability p and scales the rest by 1 / (1 − p). */
export class Dropout extends Module {
  readonly p: number;

  constructor(p = 0.5) {
    super();
    this.p = probability("Dropout", p);
  }

  forward(input: Tensor): Tensor {
    return ops.dropout(input, this.p, this.isTraining);
  }
}

/** As {@link Dropout}, of whole channels of `[N, C, H, W]`. */
export class Dropout2d extends Module {
  readonly p: number;

  constructor(p = 0.5) {
    super();
    this.p = probability("Dropout2d", p);
  }

  forward(input: Tensor): Tensor {
    return ops.featureDropout(input, this.p, this.isTraining);
  }
}
