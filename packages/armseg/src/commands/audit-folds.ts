import fs from "node:fs";
import { join } from "node:path";
import { readRunConfig } from "../config/read-run-config.ts";
import type { Config } from "../config/schema.ts";
import { writeFileAtomically } from "../core/atomic-file.ts";
import type { Dataset, Sample } from "../data/sample.ts";
import { auditPaths } from "../runs/audit/index.ts";
import { finishedEvaluation } from "../runs/read-run.ts";
import { hasTrainedState, isRun } from "../runs/run-folder.ts";
import type { TrainedOptions } from "./evaluate.ts";
import { type RunControl, resumeTraining, startTraining } from "./train.ts";

/** A network and the images that it judges. */
export interface AuditPart extends Omit<TrainedOptions, "context"> {
  readonly samples: readonly Sample[];
}

/**
 * Trains a network for each part of the images, by the run's configuration on all other images, in `audit/folds/` of the run. What was
 * trained before is not trained again; a training that was interrupted goes on.
 *
 * Parts are stretches of the data set's order: neighbours in a video, or of a city, stay together.
 *
 * @throws {Error} If there are fewer images than parts, or the signal ends a training.
 */
export async function trainFolds(
  options: TrainedOptions & Pick<RunControl, "signal" | "stream">,
  { samples }: Dataset,
  folds: number,
): Promise<AuditPart[]> {
  if (samples.length < folds)
    throw new Error(`auditRun(): ${folds} folds need as many images, got ${samples.length}`);
  const { folder, checkpoint, overrides } = options;
  const config = readRunConfig(folder, overrides);
  const parts: AuditPart[] = [];
  for (let fold = 0; fold < folds; fold++) {
    const isOwn = (i: number) => Math.floor((i * folds) / samples.length) === fold;
    const own = samples.filter((_, i) => isOwn(i));
    const others = samples.filter((_, i) => !isOwn(i));
    const run = join(auditPaths(folder).folds, `${fold + 1}-of-${folds}`);
    const title = `fold ${fold + 1} of ${folds}`;
    await trainFold(foldConfig(config, run, others), title, { ...options, folder: run });
    parts.push({
      folder: run,
      ...(checkpoint !== undefined && isNamed(checkpoint) && { checkpoint }),
      samples: own,
    });
  }
  return parts;
}

/** A file is that of the run's own network. */
function isNamed(checkpoint: string): boolean {
  return checkpoint === "best" || checkpoint === "last";
}

/** Writes the list of the images to train on, and returns the configuration that takes these. */
function foldConfig(config: Config, run: string, samples: readonly Sample[]): Config {
  const list = `${run}.txt`;
  fs.mkdirSync(join(run, ".."), { recursive: true });
  writeFileAtomically(list, samples.map(({ name }) => `${name}\n`).join(""));
  const { data, training } = config;
  return {
    ...config,
    data: { ...data, train: { ...data.train, list } },
    // Batches are kept by their number, and these are others.
    training: { ...training, batchCache: null },
  };
}

async function trainFold(
  config: Config,
  title: string,
  { folder, signal, stream }: Pick<RunControl, "folder" | "signal" | "stream">,
): Promise<void> {
  if (finishedEvaluation(folder)) return;
  const control = { folder, title, ...(signal && { signal }), ...(stream !== undefined && { stream }) };
  const isBegun = isRun(folder) && hasTrainedState(folder);
  const { isComplete } = isBegun ? await resumeTraining(control) : await startTraining(config, control);
  signal?.throwIfAborted();
  if (!isComplete)
    throw new Error(`auditRun(): the training of ${title} ended early; run the audit again to continue it`);
}
