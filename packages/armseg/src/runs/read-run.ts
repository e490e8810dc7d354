import fs from "node:fs";
import { basename, resolve } from "node:path";
import { type Checkpoint, listCheckpoints } from "./checkpoint-index.ts";
import { type Environment, readEnvironments } from "./environment.ts";
import { readMetrics } from "./metrics.ts";
import { type EvaluationRecord, type MetricsRecord, recordsOfKind } from "./records.ts";
import { isRun, type RunPaths, runPaths } from "./run-folder.ts";

/** All that a run folder says of a run, as plain data. */
export interface RunContents {
  readonly name: string;
  readonly paths: RunPaths;
  /** YAML text. */
  readonly config: string;
  readonly environments: readonly Environment[];
  readonly records: readonly MetricsRecord[];
  readonly checkpoints: readonly Checkpoint[];
}

/** Returns the iteration that a run has ended with; undefined where it has not. */
export function lastIteration(records: readonly MetricsRecord[]): number | undefined {
  const early = recordsOfKind(records, "event").findLast(({ event }) => event === "earlyStop")?.iteration;
  if (early !== undefined) return early;
  const planned = recordsOfKind(records, "run")[0]?.iterations;
  return (records.at(-1)?.iteration ?? 0) >= (planned ?? Number.POSITIVE_INFINITY) ? planned : undefined;
}

/** Returns the evaluation of the highest mIoU, the earliest of equals; `null` where none has a score. */
export function bestEvaluation(evaluations: readonly EvaluationRecord[]): EvaluationRecord | null {
  const scored = evaluations.filter(({ mIoU }) => Number.isFinite(mIoU));
  return scored.reduce<EvaluationRecord | null>(
    (best, next) => (best && best.mIoU >= next.mIoU ? best : next),
    null,
  );
}

/**
 * Returns the scores of a run's last iteration; undefined where the folder holds no run, or one that is not finished: scores
 * are logged before the checkpoint of their iteration is written, and the samples of the report come after it.
 */
export function finishedEvaluation(folder: string): EvaluationRecord | undefined {
  if (!isRun(folder)) return undefined;
  const paths = runPaths(folder);
  const records = readMetrics(paths.metrics);
  const last = lastIteration(records);
  const isLast = ({ iteration }: { readonly iteration: number }) => iteration === last;
  const isKept =
    listCheckpoints(paths.checkpoints).some(isLast) && recordsOfKind(records, "sample").some(isLast);
  if (!isKept) return undefined;
  return recordsOfKind(records, "evaluation").findLast(({ iteration }) => iteration === last);
}

/**
 * Reads a run folder, also while the run goes on: it takes no lock and writes nothing.
 *
 * @throws If the folder holds no run, or a file in it is damaged.
 */
export function readRun(folder: string): RunContents {
  const paths = runPaths(folder);
  if (!isRun(folder)) {
    throw new Error(`readRun(): ${folder} must hold a run, but has no config.yaml. Check the path.`);
  }
  return {
    name: basename(resolve(folder)),
    paths,
    config: fs.readFileSync(paths.config, "utf8"),
    environments: readEnvironments(paths.environment),
    records: readMetrics(paths.metrics),
    checkpoints: listCheckpoints(paths.checkpoints),
  };
}
