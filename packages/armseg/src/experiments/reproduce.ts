import { mkdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { libtorchVersion } from "@armseg/torch";
import { ConfigError } from "../config/read-config.ts";
import { writeFileAtomically } from "../core/atomic-file.ts";
import { duration, type ProgressStream } from "../core/progress.ts";
import { collectEnvironment } from "../runs/environment.ts";
import type { Experiment } from "./cell.ts";
import { type CellResult, type Machine, readResult } from "./cell-result.ts";
import { type CellSummary, summarise } from "./cell-statistics.ts";
import { drawConvergence } from "./convergence.ts";
import { type DrawnFigure, type FigureRun, writeFigure } from "./drawn-figure.ts";
import { drawFigure4 } from "./figure-4.ts";
import { drawFigure5 } from "./figure-5.ts";
import { FIGURES, type FigureName } from "./figures.ts";
import { type GridResult, runGrid } from "./grid.ts";
import { type Job, jobsOf, type Outcome, runFolderOf } from "./job.ts";
import { runJobInProcess } from "./job-in-process.ts";
import { markdownTable, systemsTable } from "./markdown.ts";
import { type Plan, planExperiment } from "./plan.ts";
import { type PlannedCell, planCells } from "./plan-cells.ts";
import { prepareScale } from "./prepare-scale.ts";
import { SCALES, type ScaleName } from "./scales.ts";
import { GRIDS, type GridName } from "./tables.ts";

/** Every experiment by the name that the command line has for it. */
export const EXPERIMENTS: Readonly<Record<GridName | FigureName, Experiment>> = { ...GRIDS, ...FIGURES };

export type ExperimentName = keyof typeof EXPERIMENTS;

export interface ReproduceOptions {
  readonly experiment: ExperimentName;
  readonly scale: ScaleName;
  /** Of runs and results; several experiments of one scale share it, and the trainings that they have in common. */
  readonly folder: string;
  readonly data?: string;
  readonly weights?: string;
  /** Default 3. */
  readonly seeds?: number;
  /** Trainings at a time. Default: as many as the scale allows and there are processors. */
  readonly jobs?: number;
  /** `key=value`, put over the configuration of every cell. */
  readonly set?: readonly string[];
  readonly signal?: AbortSignal;
  /** Default standard error; `null` for none. */
  readonly stream?: ProgressStream | null;
  /** How one job is run; for tests. */
  readonly run?: (job: Job) => Promise<Outcome>;
}

export interface ReproduceResult {
  readonly experiment: ExperimentName;
  readonly scale: ScaleName;
  readonly isComplete: boolean;
  readonly cells: readonly CellSummary[];
  readonly failures: readonly string[];
  /** What was written, the page for people first. */
  readonly files: readonly string[];
}

const DRAW: Readonly<Record<FigureName, (runs: readonly FigureRun[]) => Promise<DrawnFigure>>> = {
  figure4: drawFigure4,
  figure5: drawFigure5,
  convergence: drawConvergence,
};

/** @throws {ConfigError} If the scale has the data of none of the experiment's own cells. */
function cellsOf({ experiment, scale, set = [], ...places }: ReproduceOptions): PlannedCell[] {
  const cells = planCells(EXPERIMENTS[experiment], SCALES[scale], places, set);
  if (cells.some(({ isOurs }) => !isOurs)) return cells;
  throw new ConfigError(`reproduce: scale ${scale} has no data for ${experiment}; use --scale paper`);
}

/**
 * Trains the cells of an experiment with several seeds, as far as that is not done, and writes the table or the figure of
 * what there is.
 *
 * @throws {ConfigError} If data or weights are missing, or an override is wrong.
 */
export async function reproduce(options: ReproduceOptions): Promise<ReproduceResult> {
  const { experiment, scale, folder, seeds = 3, stream = process.stderr } = options;
  const say = (text: string) => stream?.write(`${text}\n`);
  const cells = cellsOf(options);
  await prepareScale(SCALES[scale], cells, options, say);
  const jobs = jobsOf(cells, seeds);
  const { results, isComplete } = await runJobs(jobs, options, say);
  const summaries = summarise(cells, results);
  const files =
    experiment in FIGURES
      ? await writeFigureOf(experiment as FigureName, jobs, cells, results, folder)
      : writeTable(experiment as GridName, summaries, options);
  const failures = results.flatMap(({ kind, cell, seed, message }) =>
    kind === "failed" ? [`${cell}, seed ${seed}: ${message}`] : [],
  );
  return { experiment, scale, isComplete, cells: summaries, failures, files };
}

/** What {@link reproduce} would do, and how long it would take here. */
export async function planReproduction(options: ReproduceOptions): Promise<Plan> {
  const { scale, folder, seeds = 3, stream = process.stderr } = options;
  const say = (text: string) => stream?.write(`${text}\n`);
  const cells = cellsOf(options);
  // The paper's data need not be here for its plan.
  if (scale !== "paper") await prepareScale(SCALES[scale], cells, options, say);
  return planExperiment(cells, {
    seeds,
    say,
    isDone: (job) => (readResult(folder, job)?.kind ?? "failed") !== "failed",
  });
}

function defaultJobs(scale: ScaleName): number {
  return Math.min(SCALES[scale].mostJobs, availableParallelism());
}

function runJobs(
  jobs: readonly Job[],
  { folder, scale, jobs: concurrency = defaultJobs(scale), signal, stream, run }: ReproduceOptions,
  say: (text: string) => void,
): Promise<GridResult> {
  const isShown = concurrency === 1 && stream !== null;
  const threads = concurrency === 1 ? null : Math.max(1, Math.floor(availableParallelism() / concurrency));
  const inProcess = (job: Job) => {
    say(`${job.cell}, seed ${job.seed}`);
    return runJobInProcess(job, { folder, threads, isShown, ...(signal && { signal }) });
  };
  let done = 0;
  const seconds: number[] = [];
  const timeLeft = () => {
    const waiting = jobs.length - done;
    const mean = seconds.reduce((sum, s) => sum + s, 0) / seconds.length;
    return waiting > 0 ? `  ${duration((1000 * mean * waiting) / concurrency)} left` : "";
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

function resultText({ cell, seed, kind, scores, message, seconds }: CellResult): string {
  const score = scores ? `mIoU ${(100 * scores.mIoU).toFixed(2)}` : (message ?? "");
  const note = kind === "scored" ? "" : `${kind}: `;
  return `${cell}, seed ${seed}: ${note}${score} (${seconds.toFixed(0)} s)`;
}

/** The table of other systems, where the experiment has one. */
function systemsOf(name: ExperimentName): string[] {
  const table = systemsTable(EXPERIMENTS[name].systems);
  return table ? [table] : [];
}

function writeTable(
  name: GridName,
  summaries: readonly CellSummary[],
  { folder, scale }: ReproduceOptions,
): string[] {
  const { title, question } = GRIDS[name];
  const parts = [
    `# ${title}`,
    question,
    `Scale ${scale}: ${SCALES[scale].description}.`,
    markdownTable(summaries),
  ];
  const page = `${[...parts, ...systemsOf(name)].join("\n\n")}\n`;
  const numbers = summaries.map(({ cell, ...summary }) => ({
    cell: cell.name,
    setting: cell.setting,
    method: cell.method,
    base: cell.base,
    isOurs: cell.isOurs,
    paper: cell.paper,
    ...summary,
  }));
  mkdirSync(folder, { recursive: true });
  const files = [
    [`${name}.md`, page],
    [`${name}.json`, `${JSON.stringify({ name, title, scale, cells: numbers }, null, 2)}\n`],
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
  cells: readonly PlannedCell[],
  results: readonly CellResult[],
  folder: string,
): Promise<string[]> {
  const runs = jobs.flatMap((job): FigureRun[] => {
    const result = results.find(({ cell, seed }) => cell === job.cell && seed === job.seed);
    const cell = cells.find((planned) => planned.name === job.cell);
    if (!result?.scores || !cell) return [];
    return [{ cell, seed: job.seed, folder: runFolderOf(folder, job) }];
  });
  return runs.length === 0 ? [] : writeFigure(folder, name, FIGURES[name], await DRAW[name](runs));
}

/** The result for a terminal. */
export function reproduceText(result: ReproduceResult): string {
  const { experiment, cells, files, failures, isComplete } = result;
  return [
    markdownTable(cells),
    ...systemsOf(experiment).flatMap((table) => ["", table]),
    "",
    ...failures.map((failure) => `failed: ${failure}`),
    ...(isComplete ? [] : ["Stopped; the same command goes on from there."]),
    `Written: ${files.join(", ") || "nothing"}`,
  ].join("\n");
}
