import { join } from "node:path";
import { seedBySeed } from "../commands/train-seeds.ts";
import type { Config } from "../config/schema.ts";
import { configHash, type PlannedEntry } from "./plan-entries.ts";

/** One entry with one seed: what the runner trains and evaluates. Plain data, so that it can be sent to another process. */
export interface Job {
  readonly entry: string;
  readonly seed: number;
  readonly config: Config;
  /** `key=value`, for an evaluation of its own after the training; none: the training's last evaluation counts. */
  readonly overrides: readonly string[];
}

/** Fractions in [0, 1], at the last iteration. */
export interface Scores {
  readonly aAcc: number;
  readonly mAcc: number;
  readonly mIoU: number;
  /** By class; `null` where the class is neither labelled nor predicted. */
  readonly iou: readonly (number | null)[];
}

/** What came of a job. */
export type Outcome =
  /** Trained to the end. */
  | { readonly kind: "scored"; readonly scores: Scores }
  /** The loss was not finite for so long that the training gave up: a result, as the paper's "NaN". */
  | { readonly kind: "diverged"; readonly message: string }
  /** The signal came first; the run can be resumed. */
  | { readonly kind: "stopped" };

/** Returns entries times seeds, seed by seed (see {@link seedBySeed}); of entries that say so, no more than they want. */
export function jobsOf(entries: readonly PlannedEntry[], seeds: number): Job[] {
  const configs = entries.map(({ config }) => config);
  return seedBySeed(configs, seeds).flatMap(({ index, seed, config }): Job[] => {
    const { name, overrides, mostSeeds, config: first } = entries[index]!;
    if (mostSeeds !== null && seed - first.training.seed >= mostSeeds) return [];
    return [{ entry: name, seed, config, overrides }];
  });
}

/** Returns where a job's run lies. Entries of several experiments, or evaluations of one training, share it if they train the same. */
export function runFolderOf(folder: string, { config }: Job): string {
  return join(folder, "runs", `${config.name.replaceAll(" ", "-")}-${configHash(config)}`);
}

/** Returns where a job's result lies; another configuration has another file, so that none is overwritten. */
export function resultFileOf(folder: string, job: Job): string {
  const hash = configHash(job.config, job.overrides);
  return join(folder, "results", `${job.entry}-seed-${job.seed}-${hash}.json`);
}
