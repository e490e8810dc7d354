import { join, relative } from "node:path";
import { ConfigError } from "../config/read-config.ts";
import type { Config } from "../config/schema.ts";
import { writeFileAtomically } from "../core/atomic-file.ts";
import { type Comparison, compareScores } from "../core/statistics.ts";
import { textTable } from "../core/text-table.ts";
import { writeComparison } from "../report/write-report.ts";
import { finishedEvaluation } from "../runs/read-run.ts";
import { hasTrainedState } from "../runs/run-folder.ts";
import { type RunControl, type RunResult, resumeTraining, startTraining } from "./train.ts";

export interface SeedsOptions extends RunControl {
  /** Number of seeds; each configuration's own `training.seed` is the first, the rest follow it. */
  readonly seeds: number;
  /** Go on where an earlier call stopped: finished runs are not run again. Default false. */
  readonly isResumed?: boolean;
  /** How one run is trained; for tests. */
  readonly train?: (config: Config, control: RunControl, isResumed: boolean) => Promise<RunResult>;
}

export interface SeedsResult {
  readonly folder: string;
  /** False after a signal; continue with `isResumed`. */
  readonly isComplete: boolean;
  /** mIoU over the seeds of each configuration, and the differences to the first one, seed by seed. */
  readonly comparisons: readonly Comparison[];
  /** `comparison.json`, which holds all this, and `comparison.html`; absent before anything is scored. */
  readonly files?: { readonly json: string; readonly page: string };
}

/** One configuration with one seed. */
export interface Seeded {
  /** Index of the configuration. */
  readonly index: number;
  readonly seed: number;
  readonly config: Config;
}

/**
 * Returns every configuration with every seed, seed by seed, so that an early stop leaves complete pairs: the same seed gives every
 * configuration the same batches in the same order.
 *
 * @param seeds - How many; each configuration's own `training.seed` is the first, the rest follow it.
 */
export function seedBySeed(configs: readonly Config[], seeds: number): Seeded[] {
  return Array.from({ length: seeds }, (_, k) =>
    configs.map((config, index): Seeded => {
      const seed = config.training.seed + k;
      const name = `${config.name} seed ${seed}`;
      return { index, seed, config: { ...config, name, training: { ...config.training, seed } } };
    }),
  ).flat();
}

function trainOne(config: Config, control: RunControl, isResumed: boolean): Promise<RunResult> {
  return isResumed ? resumeTraining(control) : startTraining(config, control);
}

function namesOf(configs: readonly Config[]): string[] {
  const names = configs.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined) return names;
  throw new ConfigError(
    `two configurations are named ${twice}; runs are kept by name: give each a \`name\` of its own`,
  );
}

/**
 * Trains each configuration with the same seeds, one run after another, in `folder/<name>/seed-<seed>` (`folder/seed-<seed>`
 * where there is one configuration).
 *
 * The same seed gives different configurations the same batches in the same order, so their scores are compared in pairs:
 * what a lucky order of the data adds to both cancels.
 *
 * @throws {ConfigError} If two configurations share a name.
 */
export async function trainSeeds(configs: readonly Config[], options: SeedsOptions): Promise<SeedsResult> {
  const { folder, seeds, signal } = options;
  const names = namesOf(configs);
  const scores = configs.map((): number[] => []);
  const runs: string[] = [];
  const result = (isComplete: boolean): SeedsResult =>
    withFiles({ folder, isComplete, comparisons: compareScores(names, scores) }, runs);
  for (const { index, seed, config } of seedBySeed(configs, seeds)) {
    const run = join(folder, ...(configs.length > 1 ? [names[index]!] : []), `seed-${seed}`);
    const known = options.isResumed ? finishedEvaluation(run)?.mIoU : undefined;
    if (known === undefined && signal?.aborted) return result(false);
    const score = known ?? (await scoreOf(config, run, options));
    if (score === undefined) return result(false);
    scores[index]!.push(score);
    runs.push(run);
  }
  return result(true);
}

/** Writes the comparison beside the runs, in place of that of a call before. */
function withFiles(result: SeedsResult, runs: readonly string[]): SeedsResult {
  if (runs.length === 0) return result;
  const { folder, comparisons } = result;
  const files = { json: join(folder, "comparison.json"), page: join(folder, "comparison.html") };
  const title = comparisons.map(({ name }) => name).join(", ");
  const names = runs.map((run) => relative(folder, run).replaceAll("\\", "/"));
  writeComparison(files.page, title, runs, { names, comparisons });
  const whole = { ...result, files };
  writeFileAtomically(files.json, `${JSON.stringify(whole, null, 2)}\n`);
  return whole;
}

/** Returns mIoU at the end of a training, undefined if it was stopped. */
async function scoreOf(config: Config, run: string, options: SeedsOptions): Promise<number | undefined> {
  const { folder: _, seeds: __, isResumed = false, train = trainOne, ...control } = options;
  const result = await train(
    config,
    { ...control, folder: run, title: config.name },
    isResumed && hasTrainedState(run),
  );
  return result.isComplete ? (result.evaluation?.mIoU ?? Number.NaN) : undefined;
}

/** The comparison as a table, in percent. */
export function seedsText({ folder, isComplete, comparisons, files }: SeedsResult): string {
  const percent = (share: number) => (Number.isFinite(share) ? (100 * share).toFixed(2) : "–");
  const rows = comparisons.map(({ name, scores, mean, deviation, difference }) => [
    name,
    percent(mean),
    percent(deviation),
    difference ? `${difference.mean > 0 ? "+" : ""}${percent(difference.mean)}` : "",
    difference ? `${percent(difference.interval[0])} to ${percent(difference.interval[1])}` : "",
    scores.map(percent).join(" "),
  ]);
  const table = [["mIoU in percent", "mean", "std", "difference", "95 % interval", "by seed"], ...rows];
  const shown = comparisons.length > 1 ? table : table.map((row) => [...row.slice(0, 3), row[5]!]);
  const lines = textTable(shown, { left: [0, shown[0]!.length - 1] });
  const state = isComplete
    ? `Runs and reports are in ${folder}${files ? `, the comparison is ${files.page}, and ${files.json} for programs` : ""}.`
    : "Stopped; continue with the same command and --resume.";
  return [...lines, "", state].join("\n");
}
