import { setMaxListeners } from "node:events";
import { type EntryResult, entryResult, type Machine, readResult, writeResult } from "./entry-result.ts";
import type { Job, Outcome } from "./job.ts";

export interface GridOptions {
  /** Of the experiment. */
  readonly folder: string;
  /** Jobs at a time. Default 1. */
  readonly concurrency?: number;
  /** Ends the grid; what runs is asked to stop in order. */
  readonly signal?: AbortSignal;
  readonly machine: Machine;
  /** Trains and evaluates one job. */
  readonly run: (job: Job) => Promise<Outcome>;
  /** Called for each job that is done, those of earlier calls first. */
  readonly onResult?: (result: EntryResult, isNew: boolean) => void;
}

export interface GridResult {
  /** In the order of the jobs; those that did not come to an end are missing. */
  readonly results: readonly EntryResult[];
  /** False after a signal; the same call goes on from there. */
  readonly isComplete: boolean;
}

/**
 * Runs jobs, each at most once: a result that is there for exactly its configuration is taken as it is, unless it says that
 * the job failed. A job that fails is recorded and the others go on.
 *
 * @throws If a result cannot be read or written.
 */
export async function runGrid(jobs: readonly Job[], options: GridOptions): Promise<GridResult> {
  const { folder, concurrency = 1, signal } = options;
  if (signal) setMaxListeners(0, signal); // each running job listens: many at once are no leak
  const results = jobs.map((job) => finishedResult(folder, job));
  for (const result of results) if (result) options.onResult?.(result, false);
  const waiting = [...jobs.keys()].filter((i) => !results[i]);
  const work = async (): Promise<void> => {
    while (!signal?.aborted) {
      const i = waiting.shift();
      if (i === undefined) return;
      const result = await runOne(jobs[i]!, options);
      if (!result) continue;
      results[i] = result;
      options.onResult?.(result, true);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(concurrency, jobs.length)) }, work));
  const done = results.filter((result) => result !== undefined);
  return { results: done, isComplete: done.length === jobs.length };
}

function finishedResult(folder: string, job: Job): EntryResult | undefined {
  const result = readResult(folder, job);
  return result?.kind === "failed" ? undefined : result;
}

/** The result of a job, written down; nothing if it was stopped. */
async function runOne(job: Job, options: GridOptions): Promise<EntryResult | undefined> {
  const start = performance.now();
  const outcome = await outcomeOf(job, options);
  if (outcome.kind === "stopped") return undefined;
  const result = entryResult(job, outcome, (performance.now() - start) / 1000, options.machine);
  writeResult(options.folder, job, result);
  return result;
}

async function outcomeOf(job: Job, { run, signal }: GridOptions) {
  try {
    return await run(job);
  } catch (error) {
    // What breaks while it is being stopped is no failure of the entry.
    if (signal?.aborted) return { kind: "stopped" } as const;
    return { kind: "failed", message: (error as Error).message } as const;
  }
}
