import type { Tensor } from "@armseg/torch";
import { nn } from "@armseg/torch";
import { Conv2d } from "./conv-2d.ts";
import type { NormFactory } from "./norm.ts";

export type Activation = "relu" | "relu6" | "none";

export interface ConvNormOptions extends nn.Conv2dOptions {
  readonly norm: NormFactory;
  /** Default relu. */
  readonly activation?: Activation;
  /** Makes the convolution, where it is not the plain one. */
  readonly convolution?: typeof nn.Conv2d;
}

/** Applies an activation to what a normalisation returned: in place, since no normalisation keeps its output. */
export function activate_(x: Tensor, activation: Activation): Tensor {
  if (activation === "relu") return x.relu_();
  return activation === "relu6" ? x.hardtanh_(0, 6) : x;
}

/** Convolution without bias, normalisation, activation: mmsegmentation's ConvModule, with its names `conv` and `bn`. */
export class ConvNorm extends nn.Module {
  readonly conv: nn.Conv2d;
  readonly bn: nn.Module;
  readonly #activation: Activation;

  constructor(inChannels: number, outChannels: number, kernelSize: number, options: ConvNormOptions) {
    super();
    const { norm, activation = "relu", convolution: Convolution = Conv2d, ...rest } = options;
    this.conv = new Convolution(inChannels, outChannels, kernelSize, { bias: false, ...rest });
    this.bn = norm(outChannels);
    this.#activation = activation;
  }

  forward(x: Tensor): Tensor {
    return activate_(this.bn.call(this.conv.call(x)), this.#activation); // [N, out, H', W']
  }
}
