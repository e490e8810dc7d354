import { createLoader, type Loader } from "../pipeline/index.ts";
import { augmentationOf } from "./augmentation-of.ts";
import type { Config } from "./config/schema.ts";
import type { TrainingData } from "./prepare-data.ts";

/** The stream of training batches that a configuration describes, from an iteration on. */
export function openLoader(config: Config, data: TrainingData, startIteration: number): Loader {
  const { augmentation, training, optimizer, schedule } = config;
  const { accumulate } = optimizer;
  return createLoader({
    sources: [data.train.samples],
    augmentation: augmentationOf(augmentation, data.imageSize),
    seed: training.seed,
    batchSize: training.batchSize,
    startIteration: startIteration * accumulate,
    endIteration: schedule.iterations * accumulate,
    onBadFile: training.onBadFile,
    ...(training.batchCache !== null && {
      cache: { folder: training.batchCache, fingerprint: data.fingerprint },
    }),
    ...(training.workers !== undefined && { workers: training.workers }),
  });
}
