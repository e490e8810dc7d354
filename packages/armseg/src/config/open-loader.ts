import { availableParallelism } from "node:os";
import type { World } from "../distributed/world.ts";
import { createLoader, type Loader } from "../pipeline/index.ts";
import { augmentationOf } from "./augmentation-of.ts";
import type { TrainingData } from "./prepare-data.ts";
import type { Config } from "./schema.ts";

/** Threads that load data for one of several processes of a host, unless the configuration says. */
function workersOf({ training }: Config, world: World | null): { workers?: number } {
  if (training.workers !== undefined) return { workers: training.workers };
  if (!world) return {}; // the loader's own default
  return { workers: Math.max(1, Math.floor(availableParallelism() / world.localSize) - 1) };
}

/** The stream of training batches that a configuration describes, from an iteration on; in a world, this process's part. */
export function openLoader(
  config: Config,
  data: TrainingData,
  startIteration: number,
  world: World | null = null,
): Loader {
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
    ...workersOf(config, world),
    ...(world && { rank: world.rank, worldSize: world.size }),
  });
}
