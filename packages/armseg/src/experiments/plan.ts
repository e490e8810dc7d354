import { dryRun } from "../commands/dry-run.ts";
import { textTable } from "../core/text-table.ts";
import { type Job, jobsOf } from "./job.ts";
import { configHash, type PlannedEntry } from "./plan-entries.ts";

/** What an experiment would take. */
export interface Plan {
  readonly entries: readonly PlanRow[];
  /** Trainings in all, those that are done already not counted. */
  readonly trainings: number;
  /** One after another, evaluations not counted; `null` where a probe failed. */
  readonly hours: number | null;
}

/** One entry of the plan. */
export interface PlanRow {
  readonly name: string;
  readonly setting: string;
  readonly method: string;
  readonly iterations: number;
  readonly seeds: number;
  /** Seeds with a result. */
  readonly done: number;
  /** Measured now, on this machine; `null` where the probe failed. */
  readonly iterationSeconds: number | null;
  readonly hoursPerSeed: number | null;
  /** Why there is no estimate. */
  readonly problem?: string;
}

export interface PlanOptions {
  readonly seeds: number;
  readonly isDone: (job: Job) => boolean;
  /** Seconds per iteration of an entry; for tests. */
  readonly probe?: (entry: PlannedEntry) => Promise<number>;
  readonly say: (text: string) => void;
}

/**
 * Times a few iterations of each network on each data set, and multiplies. The methods differ by percents at most; only
 * baselines that need further passes are timed apart.
 */
export async function planExperiment(entries: readonly PlannedEntry[], options: PlanOptions): Promise<Plan> {
  const { seeds, isDone, probe = probeEntry, say } = options;
  const jobs = jobsOf(entries, seeds);
  const probes = new Map<string, Promise<number>>();
  const rows: PlanRow[] = [];
  for (const entry of entries) {
    const key = probeKey(entry);
    if (!probes.has(key)) say(`timing ${entry.setting}`);
    const timed = probes.get(key) ?? probe(entry);
    probes.set(key, timed);
    const done = jobs.filter((job) => job.entry === entry.name && isDone(job)).length;
    rows.push(await rowOf(entry, seeds, done, timed));
  }
  // Several entries may be evaluations of one training.
  const trainings = new Set(jobs.filter((job) => !isDone(job)).map(({ config }) => configHash(config)));
  const hours = rows.map(({ hoursPerSeed, done }) => (hoursPerSeed ?? Number.NaN) * (seeds - done));
  const sum = hours.reduce((total, part) => total + part, 0);
  return { entries: rows, trainings: trainings.size, hours: Number.isNaN(sum) ? null : sum };
}

function probeKey({ config }: PlannedEntry): string {
  const { data, model, augmentation, optimizer, training, reweighting } = config;
  return JSON.stringify([data, model, augmentation, optimizer, training, reweighting.baseline]);
}

async function probeEntry({ config }: PlannedEntry): Promise<number> {
  return (await dryRun(config, { stream: null })).iterationSeconds;
}

async function rowOf(
  { name, setting, method, config }: PlannedEntry,
  seeds: number,
  done: number,
  timed: Promise<number>,
): Promise<PlanRow> {
  const { iterations } = config.schedule;
  const row = { name, setting, method, iterations, seeds, done };
  try {
    const iterationSeconds = await timed;
    return { ...row, iterationSeconds, hoursPerSeed: (iterations * iterationSeconds) / 3600 };
  } catch (error) {
    return { ...row, iterationSeconds: null, hoursPerSeed: null, problem: (error as Error).message };
  }
}

/** Returns the plan as lines for a terminal. */
export function planText({ entries, trainings, hours }: Plan): string {
  const head = ["entry", "method", "iterations", "s per iteration", "hours per seed", "seeds", "done"];
  const rows = entries.map((row) => [
    row.name,
    row.method,
    row.iterations.toLocaleString("en"),
    row.iterationSeconds?.toFixed(2) ?? "–",
    row.hoursPerSeed?.toFixed(2) ?? "–",
    String(row.seeds),
    String(row.done),
  ]);
  const lines = textTable([head, ...rows], { left: [0, 1] });
  const problems = [...new Set(entries.flatMap(({ problem }) => (problem ? [`not timed: ${problem}`] : [])))];
  const time = hours === null ? "the time is not known" : `about ${hours.toFixed(1)} h one after another`;
  return [...lines, "", `${trainings} trainings to do, ${time}; evaluations come on top`, ...problems].join(
    "\n",
  );
}
