import { stringify } from "yaml";
import { type TrainingObjects, trainerSettings } from "../config/build.ts";
import type { TrainingData } from "../config/build-data.ts";
import { buildLoader } from "../config/build-loaders.ts";
import type { Config } from "../config/schema.ts";
import { CheckpointIndex } from "../runs/checkpoint-index.ts";
import { createRun } from "../runs/run-folder.ts";
import { RunLog } from "../runs/run-log.ts";
import { Trainer, type TrainerParts } from "../training/trainer.ts";

/** @property folder - Of the run, which is made. */
export interface RunTrainerOptions extends Pick<TrainerParts, "evaluate" | "onProgress" | "signal"> {
  readonly folder: string;
}

/** Runs the trainer as a training does: data loaded meanwhile, the log and checkpoints written. */
export async function runTrainer(
  training: TrainingObjects,
  config: Config,
  data: TrainingData,
  { folder, ...parts }: RunTrainerOptions,
): Promise<void> {
  using run = createRun(folder, stringify(config));
  await using loader = buildLoader(config, data, 0);
  using log = new RunLog(run.paths);
  const checkpoints = new CheckpointIndex(run.paths.checkpoints, { keepLast: 1 });
  const trainer = new Trainer({
    ...training,
    ...trainerSettings(config),
    data: loader,
    baseline: null,
    log,
    checkpoints: {
      save: (iteration, write) => checkpoints.save(iteration, write),
      saveFailed: () => folder,
    },
    ...parts,
  });
  await trainer.run();
}
