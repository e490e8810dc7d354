import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Baseline } from "../baselines/index.ts";
import { buildBaseline, buildTraining, type TrainingObjects } from "../config/build.ts";
import { prepareData, type TrainingData } from "../config/build-data.ts";
import { buildLoader } from "../config/build-loaders.ts";
import { loadPretrained } from "../config/load-pretrained.ts";
import { withMemoryFormat } from "../config/memory-format.ts";
import { missingWeights } from "../config/pretrained.ts";
import type { Config } from "../config/schema.ts";
import { duration } from "../core/progress.ts";
import type { Loader } from "../pipeline/index.ts";
import { trainStep, type Weigh } from "../training/step.ts";
import { prepareProcess } from "./prepare-process.ts";
import type { RunControl } from "./train.ts";

/** What a training will take, measured. */
export interface TrainingPlan {
  readonly iterations: number;
  readonly epochs: number;
  readonly parameters: number;
  /** Iterations that were run to measure. */
  readonly measured: number;
  /** The fastest of a few after the first, data not waited for. */
  readonly iterationSeconds: number;
  /** Of all iterations; evaluations come on top. */
  readonly totalHours: number;
  /** Largest resident memory of the process so far. */
  readonly peakMemoryBytes: number;
  /** What is to be done about pretrained weights before the training; `null` for nothing. */
  readonly missingWeights: string | null;
}

const ITERATIONS = 3;

/**
 * Checks the data, builds the model and runs three iterations at full size, without leaving anything behind.
 *
 * @throws As a training would at its start.
 */
export async function dryRun(
  given: Config,
  { stream = process.stderr }: Omit<RunControl, "folder">,
): Promise<TrainingPlan> {
  const say = (text: string) => void stream?.write(`${text}\n`);
  const config = withMemoryFormat(given, say);
  const cacheFolder = mkdtempSync(join(tmpdir(), "armseg-dry-run-"));
  prepareProcess(config, say);
  try {
    const data = await prepareData(config, { cacheFolder, say });
    const classes = data.train.classes.length;
    const training = buildTraining(config, { classes, classWeights: data.classWeights });
    try {
      const missing = missingWeights(config.model);
      if (missing === null) await loadPretrained(training, config, say);
      return { ...(await measure(config, data, training)), missingWeights: missing };
    } finally {
      training.dispose();
    }
  } finally {
    rmSync(cacheFolder, { recursive: true });
  }
}

/** Runs a few iterations, and multiplies. */
async function measure(
  config: Config,
  data: TrainingData,
  training: TrainingObjects,
): Promise<Omit<TrainingPlan, "missingWeights">> {
  const { schedule, optimizer } = config;
  await using loader = buildLoader(config, data, 0);
  await using baseline = buildBaseline(config, data, training, 0);
  const seconds = await timeSteps(training, loader, baseline);
  const iterationSeconds = Math.min(...seconds.slice(1)) * optimizer.accumulate;
  return {
    iterations: schedule.iterations,
    epochs: (schedule.iterations * optimizer.accumulate) / loader.iterationsPerEpoch,
    parameters: [...training.network.parameters()].reduce((sum, { numel }) => sum + numel, 0),
    measured: seconds.length,
    iterationSeconds,
    totalHours: (schedule.iterations * iterationSeconds) / 3600,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
  };
}

/** Seconds of steps of one batch each, data not waited for. */
async function timeSteps(
  training: TrainingObjects,
  loader: Loader,
  baseline: Baseline | null,
): Promise<number[]> {
  const seconds: number[] = [];
  for (let i = 0; i < ITERATIONS; i++) {
    using batch = await loader.next();
    if (!batch) break;
    const start = performance.now();
    const step = (weigh: Weigh | null) => trainStep(training, [batch], "joint", weigh);
    if (baseline) await baseline.withMetaBatch(step);
    else step(null);
    seconds.push((performance.now() - start) / 1000);
  }
  return seconds;
}

/** Returns the plan as lines for a terminal. */
export function dryRunText(plan: TrainingPlan): string {
  return [
    `parameters        ${plan.parameters.toLocaleString("en")}`,
    `iterations        ${plan.iterations.toLocaleString("en")} (${plan.epochs.toFixed(1)} epochs)`,
    `an iteration      ${plan.iterationSeconds.toFixed(2)} s`,
    `all of them       ${duration(plan.totalHours * 3_600_000)}, evaluations not counted`,
    `peak memory       ${(plan.peakMemoryBytes / 2 ** 30).toFixed(1)} GiB`,
    ...(plan.missingWeights === null ? [] : ["", plan.missingWeights]),
  ].join("\n");
}
