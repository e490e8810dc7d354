import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Config } from "../config/schema.ts";
import { writeFileAtomically } from "../core/atomic-file.ts";
import { type Job, type Outcome, resultFileOf, type Scores } from "./job.ts";
import { configHash } from "./plan-entries.ts";

/**
 * `collapsed`: the network scores no better than one that predicts a single class everywhere can (mIoU ≤ 1/C).
 * `failed`: the job broke down; it is tried again by the next call.
 */
export type ResultKind = "scored" | "collapsed" | "diverged" | "failed";

/** The result of one job; one file of `results/`, where `entry` has the key `cell`. */
export interface EntryResult {
  readonly format: 1;
  readonly entry: string;
  readonly seed: number;
  readonly hash: string;
  readonly kind: ResultKind;
  /** `null` unless scored or collapsed. */
  readonly scores: Scores | null;
  /** Why it diverged or failed. */
  readonly message?: string;
  /** Wall time of this job in the call that ended it. */
  readonly seconds: number;
  readonly machine: Machine;
  readonly config: Config;
  readonly overrides: readonly string[];
}

/** What times depend on. */
export interface Machine {
  readonly processor: string;
  readonly processors: number;
  readonly versions: Readonly<Record<string, string>>;
}

/** The scores of a finished training are no better than those of one class everywhere. */
function isCollapsed({ mIoU, iou }: Scores): boolean {
  return !(mIoU > 1 / iou.length);
}

/** Returns the record of a job that came to an end, well or not. */
export function entryResult(
  job: Job,
  outcome: Exclude<Outcome, { kind: "stopped" }> | { kind: "failed"; message: string },
  seconds: number,
  machine: Machine,
): EntryResult {
  const scores = outcome.kind === "scored" ? outcome.scores : null;
  return {
    format: 1,
    entry: job.entry,
    seed: job.seed,
    hash: configHash(job.config, job.overrides),
    kind: scores && isCollapsed(scores) ? "collapsed" : outcome.kind,
    scores,
    ...("message" in outcome && { message: outcome.message }),
    seconds: Math.round(10 * seconds) / 10,
    machine,
    config: job.config,
    overrides: job.overrides,
  };
}

/** Writes a result where {@link readResult} finds it. */
export function writeResult(folder: string, job: Job, result: EntryResult): void {
  const path = resultFileOf(folder, job);
  mkdirSync(dirname(path), { recursive: true });
  const { format, entry, ...rest } = result;
  writeFileAtomically(path, `${JSON.stringify({ format, cell: entry, ...rest }, null, 2)}\n`);
}

/**
 * Returns the result of a job, if there is one for exactly its configuration.
 *
 * @throws If the file is damaged.
 */
export function readResult(folder: string, job: Job): EntryResult | undefined {
  const path = resultFileOf(folder, job);
  if (!existsSync(path)) return undefined;
  try {
    const { cell, ...rest } = JSON.parse(readFileSync(path, "utf8")) as Omit<EntryResult, "entry"> & {
      cell: string;
    };
    return rest.hash === configHash(job.config, job.overrides) ? { ...rest, entry: cell } : undefined;
  } catch (cause) {
    throw new Error(`readResult(): ${path} must be JSON, and is not; delete it to run the entry again`, {
      cause,
    });
  }
}
