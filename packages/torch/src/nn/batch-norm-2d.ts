import { argumentError } from "../argument-error.ts";
import type { Parameter, Tensor } from "../tensor.ts";
import { ops, parameter } from "../tensor.ts";
import { buffer, Module } from "./module.ts";

export interface BatchNorm2dOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
  /** Share of the newest batch in the running statistics; `null` for the plain mean of all batches. Default 0.1. */
  readonly momentum?: number | null;
  /** Whether a scale and a shift per channel are learned. Default true. */
  readonly affine?: boolean;
  /** Whether running statistics are kept; without them evaluation normalises by the batch too. Default true. */
  readonly trackRunningStats?: boolean;
}

/**
 * Normalises each channel of `[N, C, H, W]` to mean 0 and variance 1: by the batch in training, by the running
 * statistics in evaluation; then scales and shifts. Ioffe and Szegedy 2015.
 */
export class BatchNorm2d extends Module {
  /** Scale, `[C]`. */
  readonly weight: Parameter | null;
  /** Shift, `[C]`. */
  readonly bias: Parameter | null;
  readonly runningMean: Tensor | null;
  /** Unbiased, as PyTorch's. */
  readonly runningVar: Tensor | null;
  readonly numBatchesTracked: Tensor | null;
  readonly eps: number;
  readonly momentum: number | null;

  constructor(channels: number, options: BatchNorm2dOptions = {}) {
    super();
    const { eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true } = options;
    this.weight = affine ? parameter(ops.ones([channels])) : null;
    this.bias = affine ? parameter(ops.zeros([channels])) : null;
    this.runningMean = trackRunningStats ? buffer(ops.zeros([channels])) : null;
    this.runningVar = trackRunningStats ? buffer(ops.ones([channels])) : null;
    this.numBatchesTracked = trackRunningStats ? buffer(ops.zeros([], { dtype: "int64" })) : null;
    this.eps = eps;
    this.momentum = momentum;
  }

  /** @throws {RangeError} If there is but one value per channel in training: it has no variance. */
  forward(input: Tensor): Tensor {
    const isTraining = this.isTraining || this.runningMean === null;
    if (isTraining) checkShape(input);
    const momentum = this.isTraining ? this.countBatch() : 0;
    const { weight, bias, runningMean, runningVar, eps } = this;
    return ops.batchNorm(input, weight, bias, runningMean, runningVar, isTraining, momentum, eps, true);
  }

  /** Counts a batch, and returns its share in the running statistics. */
  protected countBatch(): number {
    this.numBatchesTracked?.add_(1);
    return this.momentum ?? 1 / (this.numBatchesTracked?.item() ?? 1);
  }
}

function checkShape(input: Tensor): void {
  const { shape } = input;
  const [batch, , height, width] = shape as [number, number, number, number];
  if (shape.length === 4 && batch * height * width !== 1) return;
  throw argumentError("BatchNorm2d", "[N, C, H, W] with more than one value per channel in training", shape);
}
