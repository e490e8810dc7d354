import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getThreads, keepFreedMemory, manualSeed, setThreads, synchronize } from "@armseg/torch";
import { type BenchDevice, median, type Place, placeOf, placeText, timeMs } from "@armseg/torch/bench";
import { buildTraining, type TrainingObjects } from "../config/build.ts";
import { prepareData, type TrainingData } from "../config/build-data.ts";
import { buildLoader } from "../config/build-loaders.ts";
import { checkConfig } from "../config/read-config.ts";
import type { Config } from "../config/schema.ts";
import { trainStep } from "../training/step.ts";
import { figureTable } from "./figure-table.ts";
import { runTrainer } from "./run-trainer.ts";

export interface OverheadBenchOptions {
  /** Default cpu. */
  readonly device?: BenchDevice;
  /** `[N, H, W]` of a batch. Default 2×256×512, on a GPU 8×512×1024, as `bench step`. */
  readonly size?: readonly [n: number, height: number, width: number];
  /** Processors. Default 2. */
  readonly threads?: number;
  /** Iterations that count, of each kind and round. Default 5. */
  readonly runs?: number;
  /** Rounds of bare steps and whole iterations in turns. Default 3. */
  readonly rounds?: number;
}

export interface OverheadBenchResult {
  readonly size: readonly [n: number, height: number, width: number];
  readonly place: Place;
  /** Median of a step on one batch that is there already: forward, backward, update. */
  readonly bareMs: number;
  /** Median of an iteration of the trainer: loading and augmenting the next batches meanwhile, the step, the log. */
  readonly wholeMs: number;
  /** whole / bare − 1; goal: at most 0.03. */
  readonly overhead: number;
}

const SIZES: Record<BenchDevice, OverheadBenchResult["size"]> = { cpu: [2, 256, 512], cuda: [8, 512, 1024] };

/** Iterations before those that count: the loader's queue is full then, and the processor's caches are warm. */
const WARM_UP = 3;

function configOf(
  folder: string,
  device: BenchDevice,
  [n, height, width]: OverheadBenchResult["size"],
): Config {
  return checkConfig(
    {
      data: {
        format: "scenes",
        scenes: { folder, count: { train: 8, val: 2 }, size: [2 * height, 2 * width] },
      },
      model: { backbone: "resnet18" },
      schedule: { iterations: 1_000_000 },
      augmentation: { crop: [height, width] },
      training: {
        batchSize: n,
        device,
        evaluateEvery: 1_000_000,
        checkpointEvery: 1_000_000,
        logEvery: 1,
      },
    },
    "the benchmark",
  );
}

async function bareSteps(training: TrainingObjects, config: Config, data: TrainingData, runs: number) {
  const loader = buildLoader({ ...config, training: { ...config.training, workers: 0 } }, data, 0);
  using batch = (await loader.next())!;
  await loader.dispose();
  const step = () => trainStep(training, [batch], "joint");
  return Array.from({ length: WARM_UP + runs }, () => timeMs(step, config.training.device)).slice(WARM_UP);
}

async function wholeIterations(
  training: TrainingObjects,
  config: Config,
  data: TrainingData,
  folder: string,
  runs: number,
) {
  const stop = new AbortController();
  const ends: number[] = [];
  await runTrainer(training, config, data, {
    folder,
    evaluate: () => Promise.reject(new Error("the benchmark evaluates nothing")),
    onProgress: () => {
      synchronize(config.training.device);
      ends.push(performance.now());
      if (ends.length > WARM_UP + runs) stop.abort();
    },
    signal: stop.signal,
  });
  return ends.slice(WARM_UP + 1).map((end, i) => end - ends[WARM_UP + i]!);
}

/**
 * Measures what the trainer adds to the bare step of `bench step`: DeepLabv3+ on ResNet-18, generated scenes of twice the crop's
 * size. Bare steps and whole iterations take turns, with the same network. Takes some minutes.
 *
 * @throws {Error} If the device is not there.
 */
export async function benchOverhead(options: OverheadBenchOptions = {}): Promise<OverheadBenchResult> {
  const { device = "cpu", size = SIZES[device], threads = 2, runs = 5, rounds = 3 } = options;
  const before = getThreads();
  const folder = mkdtempSync(join(tmpdir(), "armseg-bench-overhead-"));
  setThreads(threads);
  keepFreedMemory();
  try {
    const place = placeOf(device);
    manualSeed(0);
    const config = configOf(join(folder, "scenes"), device, size);
    const data = await prepareData(config, { cacheFolder: join(folder, "cache"), say: () => {} });
    const training = buildTraining(config, {
      classes: data.train.classes.length,
      classWeights: data.classWeights,
    });
    const bare: number[] = [];
    const whole: number[] = [];
    for (let round = 0; round < rounds; round++) {
      bare.push(...(await bareSteps(training, config, data, runs)));
      whole.push(...(await wholeIterations(training, config, data, join(folder, `run-${round}`), runs)));
    }
    training.dispose();
    const [bareMs, wholeMs] = [median(bare), median(whole)];
    return { size, place, bareMs, wholeMs, overhead: wholeMs / bareMs - 1 };
  } finally {
    setThreads(before);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Formats the result as lines of text, ratio first. */
export function benchOverheadText({ size, place, bareMs, wholeMs, overhead }: OverheadBenchResult): string {
  return [
    `${(100 * overhead).toFixed(1)} % more than the bare step (goal 3 %)`,
    `DeepLabv3+ on resnet18, ARM, batch ${size.join("×")}, float32`,
    placeText(place),
    ...figureTable(
      [
        { name: "bare step: forward, backward, update", ms: bareMs },
        { name: "iteration of the trainer: data, step, log", ms: wholeMs },
      ],
      0,
    ),
  ].join("\n");
}
