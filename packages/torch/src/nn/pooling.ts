import type { Tensor } from "../tensor.ts";
import { Module } from "./module.ts";
import type { Size2d } from "./size-2d.ts";
import { pairOf } from "./size-2d.ts";

export interface PoolOptions {
  /** Default: the kernel size. */
  readonly stride?: Size2d;
  /** Pixels added on each side. Default 0. */
  readonly padding?: Size2d;
  /** Whether a window that sticks out at the end counts, so that sizes are rounded up. Default false. */
  readonly ceilMode?: boolean;
}

/** The largest value of each window, `[N, C, H, W]` to `[N, C, H', W']`. */
export class MaxPool2d extends Module {
  readonly kernelSize: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly ceilMode: boolean;

  constructor(kernelSize: Size2d, options: PoolOptions & { dilation?: Size2d } = {}) {
    super();
    this.kernelSize = pairOf(kernelSize);
    this.stride = pairOf(options.stride ?? kernelSize);
    this.padding = pairOf(options.padding ?? 0);
    this.dilation = pairOf(options.dilation ?? 1);
    this.ceilMode = options.ceilMode ?? false;
  }

  forward(input: Tensor): Tensor {
    return input.maxPool2d(this.kernelSize, this.stride, this.padding, this.dilation, this.ceilMode);
  }
}

/** The mean of each window, `[N, C, H, W]` to `[N, C, H', W']`. */
export class AvgPool2d extends Module {
  readonly kernelSize: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly ceilMode: boolean;
  readonly countIncludePad: boolean;

  /** @param options.countIncludePad - Whether zeros of the padding count in the mean. Default true. */
  constructor(kernelSize: Size2d, options: PoolOptions & { countIncludePad?: boolean } = {}) {
    super();
    this.kernelSize = pairOf(kernelSize);
    this.stride = pairOf(options.stride ?? kernelSize);
    this.padding = pairOf(options.padding ?? 0);
    this.ceilMode = options.ceilMode ?? false;
    this.countIncludePad = options.countIncludePad ?? true;
  }

  forward(input: Tensor): Tensor {
    return input.avgPool2d(this.kernelSize, this.stride, this.padding, this.ceilMode, this.countIncludePad);
  }
}

/** Means over windows that divide the image evenly, `[N, C, H, W]` to `[N, C, ...outputSize]`. */
export class AdaptiveAvgPool2d extends Module {
  readonly outputSize: readonly [number, number];

  constructor(outputSize: Size2d) {
    super();
    this.outputSize = pairOf(outputSize);
  }

  forward(input: Tensor): Tensor {
    return input.adaptiveAvgPool2d(this.outputSize);
  }
}
