import { argumentError } from "../argument-error.ts";
import type { Parameter, Tensor } from "../tensor.ts";
import { ops } from "../tensor.ts";
import { weightAndBias } from "./default-init.ts";
import { Module } from "./module.ts";
import type { Size2d } from "./size-2d.ts";
import { pairOf } from "./size-2d.ts";

export interface Conv2dOptions {
  /** Default 1. */
  readonly stride?: Size2d;
  /** Zeros added on each side, in pixels. Default 0. */
  readonly padding?: Size2d;
  /** Spacing of the kernel's taps. Default 1. */
  readonly dilation?: Size2d;
  /** Blocks of channels that do not see each other. Default 1. */
  readonly groups?: number;
  /** Default true. */
  readonly bias?: boolean;
}

/** A convolution of images `[N, in, H, W]` to `[N, out, H', W']`; H' = ⌊(H + 2·padding − dilation·(k − 1) − 1) / stride⌋ + 1. */
export class Conv2d extends Module {
  /** `[out, in / groups, kernel height, kernel width]`. */
  readonly weight: Parameter;
  /** `[out]`. */
  readonly bias: Parameter | null;
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly groups: number;

  /** @throws {RangeError} If `groups` does not divide both numbers of channels. */
  constructor(inChannels: number, outChannels: number, kernelSize: Size2d, options: Conv2dOptions = {}) {
    super();
    const { stride = 1, padding = 0, dilation = 1, groups = 1, bias = true } = options;
    if (inChannels % groups !== 0 || outChannels % groups !== 0) {
      const got = `${inChannels} to ${outChannels} channels in ${groups} groups`;
      throw argumentError("Conv2d", "channels that groups divides", got);
    }
    const made = weightAndBias([outChannels, inChannels / groups, ...pairOf(kernelSize)], bias);
    this.weight = made.weight;
    this.bias = made.bias;
    this.stride = pairOf(stride);
    this.padding = pairOf(padding);
    this.dilation = pairOf(dilation);
    this.groups = groups;
  }

  forward(input: Tensor): Tensor {
    return ops.conv2d(input, this.weight, this.bias, this.stride, this.padding, this.dilation, this.groups);
  }
}
