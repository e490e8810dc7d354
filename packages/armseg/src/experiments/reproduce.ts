import { mkdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { libtorchVersion } from "@armseg/torch";
import { ConfigError } from "../config/read-config.ts";
import { writeFileAtomically } from "../core/atomic-file.ts";
import { duration, type ProgressStream } from "../core/progress.ts";
import { mean } from "../core/statistics.ts";
import { collectEnvironment } from "../runs/environment.ts";
import { drawConvergence } from "./convergence.ts";
import { type EntryResult, type Machine, readResult } from "./entry-result.ts";
import { type EntrySummary, summarise } from "./entry-statistics.ts";
import type { Experiment } from "./experiment.ts";
import { type Figure, type FigureRun, writeFigure } from "./figure.ts";
import { drawFigure4 } from "./figure-4.ts";
import { drawFigure5 } from "./figure-5.ts";
import { type GridResult, runGrid } from "./grid.ts";
import { type Job, jobsOf, type Outcome, runFolderOf } from "./job.ts";
import { runJobInProcess } from "./job-in-process.ts";
import { markdownTable, systemsTable } from "./markdown.ts";
import { type Plan, planExperiment } from "./plan.ts";
import { type PlannedEntry, planEntries } from "./plan-entries.ts";
import { PRESETS, type PresetName, preparePreset } from "./presets.ts";
import { FIGURES, type FigureName, GRIDS, type GridName, STUDIES } from "./tables.ts";

/** What becomes a table. */
const TABULATED: Readonly<Record<GridName, Experiment>> = { ...GRIDS, ...STUDIES };

/** Every experiment by the name that the command line has for it. */
export const EXPERIMENTS: Readonly<Record<GridName | FigureName, Experiment>> = { ...TABULATED, ...FIGURES };

export type ExperimentName = keyof typeof EXPERIMENTS;

export interface ReproduceOptions {
  readonly experiment: ExperimentName;
  readonly preset: PresetName;
  /** Of runs and results; several experiments of one preset share it, and the trainings that they have in common. */
  readonly folder: string;
  readonly data?: string;
  readonly weights?: string;
  /** Default 3. */
  readonly seeds?: number;
  /** Trainings at a time. Default: as many as the preset allows and there are processors. */
  readonly jobs?: number;
  /** `key=value`, put over the configuration of every entry. */
  readonly set?: readonly string[];
  readonly signal?: AbortSignal;
  /** Default standard error; `null` for none. */
  readonly stream?: ProgressStream | null;
  /** How one job is run; for tests. */
  readonly run?: (job: Job) => Promise<Outcome>;
}

export interface ReproduceResult {
  readonly experiment: ExperimentName;
  readonly preset: PresetName;
  readonly isComplete: boolean;
  readonly entries: readonly EntrySummary[];
  readonly failures: readonly string[];
  /** What was written, the page for people first. */
  readonly files: readonly string[];
}

const DRAW: Readonly<Record<FigureName, (runs: readonly FigureRun[]) => Promise<Figure>>> = {
  figure4: drawFigure4,
  figure5: drawFigure5,
  convergence: drawConvergence,
};

/** @throws {ConfigError} If the preset has the data of none of the experiment's own entries. */
function entriesOf({ experiment, preset, set = [], ...places }: ReproduceOptions): PlannedEntry[] {
  const entries = planEntries(EXPERIMENTS[experiment], PRESETS[preset], places, set);
  if (entries.some(({ isOurs }) => !isOurs)) return entries;
  throw new ConfigError(`reproduce: preset ${preset} has no data for ${experiment}; use --preset paper`);
}

/**
 * Trains the entries of an experiment with several seeds, as far as that is not done, and writes the table or the figure of
 * what there is.
 *
 * @throws {ConfigError} If data or weights are missing, or an override is wrong.
 */
export async function reproduce(options: ReproduceOptions): Promise<ReproduceResult> {
  const { experiment, preset, folder, seeds = 3, stream = process.stderr } = options;
  const say = (text: string) => stream?.write(`${text}\n`);
  const entries = entriesOf(options);
  await preparePreset(PRESETS[preset], entries, options, say);
  const jobs = jobsOf(entries, seeds);
  const { results, isComplete } = await runJobs(jobs, options, say);
  const summaries = summarise(entries, results);
  const files =
    experiment in FIGURES
      ? await writeFigureOf(experiment as FigureName, jobs, entries, results, folder)
      : writeTable(experiment as GridName, summaries, options);
  const failures = results.flatMap(({ kind, entry, seed, message }) =>
    kind === "failed" ? [`${entry}, seed ${seed}: ${message}`] : [],
  );
  return { experiment, preset, isComplete, entries: summaries, failures, files };
}

/** What {@link reproduce} would do, and how long it would take here. */
export async function planReproduction(options: ReproduceOptions): Promise<Plan> {
  const { preset, folder, seeds = 3, stream = process.stderr } = options;
  const say = (text: string) => stream?.write(`${text}\n`);
  const entries = entriesOf(options);
  // The paper's data need not be here for its plan.
  if (preset !== "paper") await preparePreset(PRESETS[preset], entries, options, say);
  return planExperiment(entries, {
    seeds,
    say,
    isDone: (job) => (readResult(folder, job)?.kind ?? "failed") !== "failed",
  });
}

function defaultJobs(preset: PresetName): number {
  return Math.min(PRESETS[preset].mostJobs, availableParallelism());
}

function runJobs(
  jobs: readonly Job[],
  { folder, preset, jobs: concurrency = defaultJobs(preset), signal, stream, run }: ReproduceOptions,
  say: (text: string) => void,
): Promise<GridResult> {
  const isShown = concurrency === 1 && stream !== null;
  const threads = concurrency === 1 ? null : Math.max(1, Math.floor(availableParallelism() / concurrency));
  const inProcess = (job: Job) => {
    say(`${job.entry}, seed ${job.seed}`);
    return runJobInProcess(job, { folder, threads, isShown, ...(signal && { signal }) });
  };
  let done = 0;
  const seconds: number[] = [];
  const timeLeft = () => {
    const waiting = jobs.length - done;
    return waiting > 0 ? `  ${duration((1000 * mean(seconds) * waiting) / concurrency)} left` : "";
  };
  return runGrid(jobs, {
    folder,
    concurrency,
    machine: thisMachine(),
    run: run ?? inProcess,
    onResult: (result, isNew) => {
      done += 1;
      if (!isNew) return;
      seconds.push(result.seconds);
      say(`${done}/${jobs.length}  ${resultText(result)}${timeLeft()}`);
    },
    ...(signal && { signal }),
  });
}

function thisMachine(): Machine {
  const { processor, processors, versions } = collectEnvironment({
    versions: { libtorch: libtorchVersion() },
  });
  return { processor, processors, versions };
}

function resultText({ entry, seed, kind, scores, message, seconds }: EntryResult): string {
  const score = scores ? `mIoU ${(100 * scores.mIoU).toFixed(2)}` : (message ?? "");
  const note = kind === "scored" ? "" : `${kind}: `;
  return `${entry}, seed ${seed}: ${note}${score} (${seconds.toFixed(0)} s)`;
}

/** The table of other systems, where the experiment has one. */
function systemsOf(name: ExperimentName): string[] {
  const table = systemsTable(EXPERIMENTS[name].systems);
  return table ? [table] : [];
}

function writeTable(
  name: GridName,
  summaries: readonly EntrySummary[],
  { folder, preset }: ReproduceOptions,
): string[] {
  const { title, question } = TABULATED[name];
  const parts = [
    `# ${title}`,
    question,
    `Preset ${preset}: ${PRESETS[preset].description}.`,
    markdownTable(summaries),
  ];
  const page = `${[...parts, ...systemsOf(name)].join("\n\n")}\n`;
  // The keys `scale` and `cell` are those of the files that were published first.
  const numbers = summaries.map(({ entry, ...summary }) => ({
    cell: entry.name,
    setting: entry.setting,
    method: entry.method,
    base: entry.base,
    isOurs: entry.isOurs,
    paper: entry.paper,
    ...summary,
  }));
  mkdirSync(folder, { recursive: true });
  const files = [
    [`${name}.md`, page],
    [`${name}.json`, `${JSON.stringify({ name, title, scale: preset, cells: numbers }, null, 2)}\n`],
  ] as const;
  return files.map(([file, content]) => {
    writeFileAtomically(join(folder, file), content);
    return join(folder, file);
  });
}

/** From the runs that came to an end with a network worth the name. */
async function writeFigureOf(
  name: FigureName,
  jobs: readonly Job[],
  entries: readonly PlannedEntry[],
  results: readonly EntryResult[],
  folder: string,
): Promise<string[]> {
  const runs = jobs.flatMap((job): FigureRun[] => {
    const result = results.find(({ entry, seed }) => entry === job.entry && seed === job.seed);
    const entry = entries.find((planned) => planned.name === job.entry);
    if (!result?.scores || !entry) return [];
    return [{ entry, seed: job.seed, folder: runFolderOf(folder, job) }];
  });
  return runs.length === 0 ? [] : writeFigure(folder, name, FIGURES[name], await DRAW[name](runs));
}

/** The result for a terminal. */
export function reproduceText(result: ReproduceResult): string {
  const { experiment, entries, files, failures, isComplete } = result;
  return [
    markdownTable(entries),
    ...systemsOf(experiment).flatMap((table) => ["", table]),
    "",
    ...failures.map((failure) => `failed: ${failure}`),
    ...(isComplete ? [] : ["Stopped; the same command goes on from there."]),
    `Written: ${files.join(", ") || "nothing"}`,
  ].join("\n");
}
