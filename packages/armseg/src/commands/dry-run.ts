import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keepFreedMemory, manualSeed } from "@armseg/torch";
import { openComparator } from "../baselines/comparator.ts";
import { buildTraining } from "../config/build.ts";
import { openLoader } from "../config/open-loader.ts";
import { prepareData } from "../config/prepare-data.ts";
import type { Config } from "../config/schema.ts";
import { duration } from "../core/progress.ts";
import type { Weigh } from "../training/batch-losses.ts";
import { trainIteration } from "../training/step.ts";
import { loadPretrained } from "./pretrained.ts";
import { warnOfSlowPrecision } from "./slow-precision.ts";
import type { RunControl } from "./train.ts";

/** What a training will take, measured. */
export interface TrainingPlan {
  readonly iterations: number;
  readonly epochs: number;
  readonly parameters: number;
  /** The fastest of a few after the first, data not waited for. */
  readonly iterationSeconds: number;
  /** Of all iterations; evaluations come on top. */
  readonly totalHours: number;
  /** Largest resident memory of the process so far. */
  readonly peakMemoryBytes: number;
}

const ITERATIONS = 3;

/**
 * Checks the data, builds the model and runs a few iterations at full size, without leaving anything behind.
 *
 * @throws As a training would at its start.
 */
export async function dryRun(config: Config, control: Omit<RunControl, "folder">): Promise<TrainingPlan> {
  const { stream = process.stderr } = control;
  const say = (text: string) => stream?.write(`${text}\n`);
  const cacheFolder = mkdtempSync(join(tmpdir(), "armseg-dry-run-"));
  keepFreedMemory();
  warnOfSlowPrecision(config.training, say);
  manualSeed(config.training.seed);
  try {
    const data = await prepareData(config, { cacheFolder, say });
    const training = buildTraining(config, data.train.classes.length, data.classWeights);
    loadPretrained(training, config, say);
    await using loader = openLoader(config, data, 0);
    await using comparator = openComparator(config, data, training, 0);
    const seconds: number[] = [];
    for (let i = 0; i < ITERATIONS; i++) {
      const batch = await loader.next();
      if (!batch) break;
      const start = performance.now();
      const iterate = (weigh: Weigh | null) => trainIteration(training, [batch], "joint", config, weigh);
      if (comparator) await comparator.withCleanBatch(iterate);
      else iterate(null);
      seconds.push((performance.now() - start) / 1000);
      batch[Symbol.dispose]();
    }
    const parameters = [...training.network.parameters()].reduce(
      (sum, parameter) => sum + parameter.numel,
      0,
    );
    training.dispose();
    const iterationSeconds = Math.min(...seconds.slice(1)) * config.optimizer.accumulate;
    const { iterations } = config.schedule;
    return {
      iterations,
      epochs: (iterations * config.optimizer.accumulate) / loader.iterationsPerEpoch,
      parameters,
      iterationSeconds,
      totalHours: (iterations * iterationSeconds) / 3600,
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    };
  } finally {
    rmSync(cacheFolder, { recursive: true });
  }
}

/** The plan as lines for a terminal. */
export function dryRunText(plan: TrainingPlan): string {
  return [
    `parameters        ${plan.parameters.toLocaleString("en")}`,
    `iterations        ${plan.iterations.toLocaleString("en")} (${plan.epochs.toFixed(1)} epochs)`,
    `an iteration      ${plan.iterationSeconds.toFixed(2)} s`,
    `all of them       ${duration(plan.totalHours * 3_600_000)}, evaluations not counted`,
    `peak memory       ${(plan.peakMemoryBytes / 2 ** 30).toFixed(1)} GiB`,
  ].join("\n");
}
