import { availableParallelism } from "node:os";
import type { Size } from "../core/size.ts";
import { taughtWeight, teachingSchedule } from "../correction/teaching-schedule.ts";
import type { Sample } from "../data/sample.ts";
import type { DistributedContext } from "../distributed/context.ts";
import { type AugmentationOptions, createLoader, type Loader } from "../pipeline/index.ts";
import type { TrainingData } from "./build-data.ts";
import { ConfigError } from "./read-config.ts";
import type { Config } from "./schema.ts";

/** mmsegmentation's. */
const PHOTOMETRIC = {
  brightnessDelta: 32,
  contrastRange: [0.5, 1.5],
  saturationRange: [0.5, 1.5],
  hueDelta: 18,
} as const;

/** Returns the training pipeline of a configuration. @param size - Of the images, the base of the resize where none is set. */
export function buildAugmentation(config: Config["augmentation"], size: Size): AugmentationOptions {
  const { base, scale, crop, maxCategoryRatio, flip, photometric, mean, std } = config;
  return {
    resize: { base: base ?? size, ratioRange: scale },
    crop: { size: crop, maxCategoryRatio },
    flip: { probability: flip },
    photometric: photometric ? PHOTOMETRIC : null,
    normalise: { mean, std },
  };
}

/** Whose part of the data is loaded. This file is used on machines without libtorch, and imports no more of a context. */
type Part = Pick<DistributedContext, "rank" | "worldSize" | "localWorldSize">;
const WHOLE: Part = { rank: 0, worldSize: 1, localWorldSize: 1 };

/**
 * Returns the stream of training batches, from an iteration on; with several processes, this one's part.
 *
 * @throws {ConfigError} If there are fewer images than a batch holds.
 */
export function buildLoader(
  config: Config,
  data: TrainingData,
  startIteration: number,
  part: Part = WHOLE,
): Loader {
  const { training, optimizer, schedule, correction } = config;
  const { samples } = data.train;
  const teaching = teachingSchedule(schedule.iterations, correction);
  // What a teacher makes of the labels is this training's own.
  const isCached = training.batchCache !== null && !samples.some(({ taught }) => taught);
  checkBatch(training.batchSize, part.worldSize, samples.length);
  return createLoader({
    ...commonOptions(config, data),
    sources: [samples],
    startIteration: startIteration * optimizer.accumulate,
    endIteration: schedule.iterations * optimizer.accumulate,
    taughtWeight: (batch) => taughtWeight(teaching, Math.floor(batch / optimizer.accumulate)),
    ...(isCached && { cache: { folder: training.batchCache as string, fingerprint: data.fingerprint } }),
    workers: training.workers ?? Math.max(1, Math.floor(availableParallelism() / part.localWorldSize) - 1),
    rank: part.rank,
    worldSize: part.worldSize,
  });
}

function checkBatch(batchSize: number, worldSize: number, images: number): void {
  if (batchSize * worldSize <= images) return;
  const processes = worldSize > 1 ? ` in each of ${worldSize} processes` : "";
  throw new ConfigError(
    `training.batchSize: expected at most ${Math.floor(images / worldSize)} for ${images} images to train on, got ${batchSize}${processes}; lower training.batchSize (optimizer.accumulate keeps the batch of an update), or add images`,
  );
}

/** Returns the stream of a baseline's meta batches, one per iteration. @param samples - With fine labels. */
export function buildMetaLoader(
  config: Config,
  data: TrainingData,
  samples: readonly Sample[],
  startIteration: number,
): Loader {
  const { training, schedule } = config;
  return createLoader({
    ...commonOptions(config, data),
    sources: [samples],
    startIteration,
    endIteration: schedule.iterations,
    ...(training.workers !== undefined && { workers: Math.min(1, training.workers) }),
  });
}

function commonOptions({ augmentation, training }: Config, data: TrainingData) {
  return {
    augmentation: buildAugmentation(augmentation, data.imageSize),
    seed: training.seed,
    batchSize: training.batchSize,
    onBadFile: training.onBadFile,
  };
}
