import { binding } from "../native/load.ts";
import type { BatchNorm2dOptions } from "../nn/batch-norm-2d.ts";
import { BatchNorm2d } from "../nn/batch-norm-2d.ts";
import { Tensor } from "../tensor.ts";
import type { ProcessGroup } from "./process-group.ts";

/**
 * Batch normalisation by the batch of all processes in training; in evaluation a {@link BatchNorm2d}.
 *
 * Mean and variance are of the batch over all processes, and so is the gradient through them. As {@link Reducer} averages, the
 * gradients of scale and shift are this process's own.
 */
export class SyncBatchNorm2d extends BatchNorm2d {
  readonly #group: ProcessGroup;

  constructor(channels: number, group: ProcessGroup, options: BatchNorm2dOptions = {}) {
    super(channels, options);
    this.#group = group;
  }

  override forward(input: Tensor): Tensor {
    if (!this.isTraining) return super.forward(input);
    const momentum = this.countBatch();
    const { weight, bias, runningMean, runningVar, eps } = this;
    return new Tensor(
      binding.syncBatchNorm(
        this.#group.native,
        input.handle,
        weight?.handle ?? null,
        bias?.handle ?? null,
        runningMean?.handle ?? null,
        runningVar?.handle ?? null,
        momentum,
        eps,
      ),
    );
  }
}
