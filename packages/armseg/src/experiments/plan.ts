import { dryRun } from "../commands/dry-run.ts";
import { type Job, jobsOf } from "./job.ts";
import { configHash, type PlannedCell } from "./plan-cells.ts";

/** What an experiment would take. */
export interface Plan {
  readonly cells: readonly PlanRow[];
  /** Trainings in all, those that are done already not counted. */
  readonly trainings: number;
  /** One after another, evaluations not counted; `null` where a probe failed. */
  readonly hours: number | null;
}

/** One cell of the plan. */
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
  readonly hoursASeed: number | null;
  /** Why there is no estimate. */
  readonly problem?: string;
}

export interface PlanOptions {
  readonly seeds: number;
  readonly isDone: (job: Job) => boolean;
  /** Seconds an iteration of a cell; for tests. */
  readonly probe?: (cell: PlannedCell) => Promise<number>;
  readonly say: (text: string) => void;
}

/**
 * Times a few iterations of each network on each data set, and multiplies. The methods differ by percents at most; only
 * baselines that need further passes are timed apart.
 */
export async function planExperiment(cells: readonly PlannedCell[], options: PlanOptions): Promise<Plan> {
  const { seeds, isDone, probe = probeCell, say } = options;
  const jobs = jobsOf(cells, seeds);
  const probes = new Map<string, Promise<number>>();
  const rows: PlanRow[] = [];
  for (const cell of cells) {
    const key = probeKey(cell);
    if (!probes.has(key)) say(`timing ${cell.setting}`);
    const timed = probes.get(key) ?? probe(cell);
    probes.set(key, timed);
    const done = jobs.filter((job) => job.cell === cell.name && isDone(job)).length;
    rows.push(await rowOf(cell, seeds, done, timed));
  }
  // Several cells may be evaluations of one training.
  const trainings = new Set(jobs.filter((job) => !isDone(job)).map(({ config }) => configHash(config)));
  const hours = rows.map(({ hoursASeed, done }) => (hoursASeed ?? Number.NaN) * (seeds - done));
  const sum = hours.reduce((total, part) => total + part, 0);
  return { cells: rows, trainings: trainings.size, hours: Number.isNaN(sum) ? null : sum };
}

function probeKey({ config }: PlannedCell): string {
  const { data, model, augmentation, optimizer, training, reweighting } = config;
  return JSON.stringify([data, model, augmentation, optimizer, training, reweighting.baseline]);
}

async function probeCell({ config }: PlannedCell): Promise<number> {
  return (await dryRun(config, { stream: null })).iterationSeconds;
}

async function rowOf(
  { name, setting, method, config }: PlannedCell,
  seeds: number,
  done: number,
  timed: Promise<number>,
): Promise<PlanRow> {
  const { iterations } = config.schedule;
  const row = { name, setting, method, iterations, seeds, done };
  try {
    const iterationSeconds = await timed;
    return { ...row, iterationSeconds, hoursASeed: (iterations * iterationSeconds) / 3600 };
  } catch (error) {
    return { ...row, iterationSeconds: null, hoursASeed: null, problem: (error as Error).message };
  }
}

/** The plan as lines for a terminal. */
export function planText({ cells, trainings, hours }: Plan): string {
  const head = ["cell", "method", "iterations", "s an iteration", "hours a seed", "seeds", "done"];
  const rows = cells.map((row) => [
    row.name,
    row.method,
    row.iterations.toLocaleString("en"),
    row.iterationSeconds?.toFixed(2) ?? "–",
    row.hoursASeed?.toFixed(2) ?? "–",
    String(row.seeds),
    String(row.done),
  ]);
  const all = [head, ...rows];
  const widths = head.map((_, i) => Math.max(...all.map((cellsOfRow) => cellsOfRow[i]!.length)));
  const lines = all.map((texts) =>
    texts.map((text, i) => (i < 2 ? text.padEnd(widths[i]!) : text.padStart(widths[i]!))).join("  "),
  );
  const problems = [...new Set(cells.flatMap(({ problem }) => (problem ? [`not timed: ${problem}`] : [])))];
  const time = hours === null ? "the time is not known" : `about ${hours.toFixed(1)} h one after another`;
  return [...lines, "", `${trainings} trainings to do, ${time}; evaluations come on top`, ...problems].join(
    "\n",
  );
}
