import type { Tensor } from "../tensor.ts";
import { Module } from "./module.ts";

export interface InPlaceOptions {
  /** Whether to overwrite the input, which saves its memory. Default false. */
  readonly inPlace?: boolean;
}

/** max(x, 0). */
export class ReLU extends Module {
  readonly inPlace: boolean;

  constructor(options: InPlaceOptions = {}) {
    super();
    this.inPlace = options.inPlace ?? false;
  }

  forward(input: Tensor): Tensor {
    return this.inPlace ? input.relu_() : input.relu();
  }
}

/** x·sigmoid(x), also called Swish. */
export class SiLU extends Module {
  readonly inPlace: boolean;

  constructor(options: InPlaceOptions = {}) {
    super();
    this.inPlace = options.inPlace ?? false;
  }

  forward(input: Tensor): Tensor {
    return this.inPlace ? input.silu_() : input.silu();
  }
}

/** 1 / (1 + exp(−x)). */
export class Sigmoid extends Module {
  forward(input: Tensor): Tensor {
    return input.sigmoid();
  }
}

/** x. */
export class Identity extends Module {
  forward(input: Tensor): Tensor {
    return input;
  }
}
