import type { Tensor } from "@armseg/torch";
import { distributed, nn } from "@armseg/torch";
import { argumentError } from "../core/argument-error.ts";

/** Makes the normalisation of a number of channels: the one place where networks choose it. */
export type NormFactory = (channels: number) => nn.Module;

/** Makes batch normalisation over one process's batch; eps 1e-5, momentum 0.1, as every recipe here. */
export const batchNorm: NormFactory = (channels) => new nn.BatchNorm2d(channels);

/** Makes batch normalisation over the batches of all processes of a group. */
export function syncBatchNorm(group: distributed.ProcessGroup): NormFactory {
  return (channels) => new distributed.SyncBatchNorm2d(channels, group);
}

/** A module with a normalisation behind a global pooling, where each image has but one value per channel. */
export interface HasPooledNorm {
  readonly pooledNorm: nn.Module;
}

function hasPooledNorm(module: nn.AnyModule): module is nn.AnyModule & HasPooledNorm {
  return "pooledNorm" in module;
}

/** Returns whether its statistics come from this process's batch alone. */
function isOfOneProcess(norm: nn.Module): boolean {
  return norm instanceof nn.BatchNorm2d && !(norm instanceof distributed.SyncBatchNorm2d);
}

/** Returns how many images a training batch of one process must have for every normalisation to see two values per channel. */
export function minimumTrainingBatch(network: nn.AnyModule): 1 | 2 {
  for (const module of network.modules()) {
    if (hasPooledNorm(module) && !module.isFrozen && isOfOneProcess(module.pooledNorm)) return 2;
  }
  return 1;
}

/**
 * Refuses a batch of one in front of a module's {@link HasPooledNorm.pooledNorm}.
 *
 * @param input - `[N, ...]`.
 * @throws {RangeError} In training, if N = 1 and the statistics come from this process's batch alone.
 */
export function assertPooledBatch(where: string, input: Tensor, { pooledNorm }: HasPooledNorm): void {
  if (input.size(0) > 1 || !pooledNorm.isTraining || !isOfOneProcess(pooledNorm)) return;
  throw argumentError(
    where,
    "a batch of at least 2 images in training",
    "1, of which batch normalisation behind a global pooling sees one value per channel",
    "raise the batch size to 2, drop the last incomplete batch, or freeze the normalisation with eval()",
  );
}
