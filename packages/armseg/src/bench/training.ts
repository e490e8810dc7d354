import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { getThreads, keepFreedMemory, manualSeed, setThreads, useCudnnBenchmark } from "@armseg/torch";
import { type BenchDevice, type Place, placeOf, placeText, runPeer } from "@armseg/torch/bench";
import { evaluationRecord, validate } from "../commands/validate.ts";
import { buildTraining } from "../config/build.ts";
import { prepareData, type TrainingData } from "../config/build-data.ts";
import { buildEvaluation } from "../config/build-evaluation.ts";
import { withMeasuredModel } from "../config/measured-model.ts";
import { checkConfig } from "../config/read-config.ts";
import type { Config } from "../config/schema.ts";
import { argumentError } from "../core/argument-error.ts";
import { textTable } from "../core/text-table.ts";
import { readLabel } from "../data/labels/read-label.ts";
import { readImage } from "../data/read-image.ts";
import type { Dataset } from "../data/sample.ts";
import { runTrainer } from "./run-trainer.ts";

export interface TrainingBenchOptions {
  /** Of both sides. Default cpu. */
  readonly device?: BenchDevice;
  /** Processors for both sides. Default 2. */
  readonly threads?: number;
  /** Updates of each training. Default 200. */
  readonly iterations?: number;
  /** The mIoU to reach, in percent. Default: the most that both sides reach. */
  readonly miou?: number;
  /** `[N, H, W]` of a batch; the scenes are half as wide again. Default 4×96×128. */
  readonly size?: TrainingBenchSize;
  /** Scenes to train on and to score. Default 160 and 24. */
  readonly scenes?: { readonly train: number; readonly val: number };
}

export type TrainingBenchSize = readonly [n: number, height: number, width: number];

/** A score on the way, with what it has taken since the first iteration: evaluations and, of ours, checkpoints included. */
export interface TrainingBenchScore {
  readonly iteration: number;
  /** In percent. */
  readonly mIoU: number;
  readonly seconds: number;
  /** Of all threads. */
  readonly cpuSeconds: number;
}

export interface TrainingBenchResult {
  readonly size: TrainingBenchSize;
  readonly iterations: number;
  readonly place: Place;
  readonly ours: readonly TrainingBenchScore[];
  /** An independent loop in PyTorch; `null` where there is no Python with PyTorch. */
  readonly peer: { readonly torch: string; readonly scores: readonly TrainingBenchScore[] } | null;
  /** The mIoU that counts, in percent. */
  readonly miou: number;
  /** The first score of each side that reaches it, `null` where none does. */
  readonly reached: {
    readonly ours: TrainingBenchScore | null;
    readonly peer: TrainingBenchScore | null;
  };
}

const EVALUATIONS = 10;
const RECIPE = {
  optimizer: { learningRate: 0.02, momentum: 0.9, weightDecay: 1e-4 },
  schedule: { type: "poly", power: 0.9, warmupFraction: 0.05, minimumFactor: 0 },
  augmentation: { scale: [0.75, 1.5], flip: 0.5, maxCategoryRatio: 1, photometric: true },
} as const;

interface Job {
  readonly device: BenchDevice;
  readonly threads: number;
  readonly iterations: number;
  readonly size: TrainingBenchSize;
}

function configOf(
  { device, iterations, size: [n, height, width] }: Job,
  folder: string,
  scenes: object,
): Config {
  const config = checkConfig(
    {
      data: {
        format: "scenes",
        annotations: "fine",
        scenes: { folder, count: scenes, size: [height, Math.round(1.5 * width)] },
      },
      model: { backbone: "resnet18" },
      reweighting: { curve: "none" },
      optimizer: RECIPE.optimizer,
      schedule: { ...RECIPE.schedule, iterations },
      augmentation: { ...RECIPE.augmentation, crop: [height, width] },
      training: {
        batchSize: n,
        device,
        evaluateEvery: Math.max(1, Math.round(iterations / EVALUATIONS)),
        checkpointEvery: iterations,
      },
    },
    "the benchmark",
  );
  return withMeasuredModel(config, (text) => void process.stderr.write(`${text}\n`));
}

async function trainOurs(config: Config, data: TrainingData, folder: string): Promise<TrainingBenchScore[]> {
  manualSeed(0);
  const training = buildTraining(config, { classes: data.train.classes.length, classWeights: null });
  const settings = buildEvaluation(config);
  const scores: TrainingBenchScore[] = [];
  try {
    const [start, cpuStart] = [performance.now(), process.cpuUsage()];
    await runTrainer(training, config, data, {
      folder,
      evaluate: async (iteration) => {
        const result = await validate({ settings, dataset: data.val, network: training.network });
        const { user, system } = process.cpuUsage(cpuStart);
        const score = {
          iteration,
          mIoU: 100 * result.metrics.mIoU,
          seconds: (performance.now() - start) / 1000,
          cpuSeconds: (user + system) / 1e6,
        };
        scores.push(score);
        process.stderr.write(`armseg, iteration ${iteration}: mIoU ${score.mIoU.toFixed(1)}\n`);
        return evaluationRecord(result, iteration, data.val.split, false);
      },
    });
  } finally {
    training.dispose();
  }
  return scores;
}

/** Writes a split for the peer, which reads no pictures: all images, `[N, H, W, 3]`, and all labels, `[N, H, W]`, as bytes. */
async function writeBytes({ samples }: Dataset, path: string) {
  const images: Uint8Array[] = [];
  const labels: Uint8Array[] = [];
  let size: readonly [number, number] = [0, 0];
  for (const { image, annotation } of samples) {
    const { height, width, data } = await readImage(image);
    size = [height, width];
    images.push(data);
    labels.push((await readLabel(annotation!, size)).data);
  }
  writeFileSync(`${path}.images`, Buffer.concat(images));
  writeFileSync(`${path}.labels`, Buffer.concat(labels));
  return { path, count: samples.length, size };
}

async function trainPeer(
  { device, threads, iterations, size }: Job,
  { model, training, augmentation }: Config,
  data: TrainingData,
  folder: string,
): Promise<TrainingBenchResult["peer"]> {
  const job = {
    device,
    threads,
    iterations,
    size,
    ...RECIPE,
    mean: augmentation.mean,
    std: augmentation.std,
    backbone: model.backbone,
    classes: data.train.classes.length,
    evaluateEvery: training.evaluateEvery,
    train: await writeBytes(data.train, join(folder, "train")),
    val: await writeBytes(data.val, join(folder, "val")),
  };
  const script = fileURLToPath(new URL("../../bench/training_peer.py", import.meta.url));
  return runPeer(script, [JSON.stringify(job)], { threads, device });
}

/**
 * Measures what a training takes to reach a mIoU, in time and in processor time: DeepLabv3+ on ResNet-18 and generated scenes with fine labels, by our
 * trainer and by an independent loop in PyTorch with the same data, network, optimizer, schedule and augmentation (but for the hue, which the
 * peer leaves alone), scored at the same iterations. The two follow different random numbers. Takes some minutes.
 *
 * @throws {Error} If the device is not there.
 */
export async function benchTraining(options: TrainingBenchOptions = {}): Promise<TrainingBenchResult> {
  const { device = "cpu", threads = 2, iterations = 200, size = [4, 96, 128] } = options;
  const { scenes = { train: 160, val: 24 }, miou } = options;
  if (miou !== undefined && !(miou > 0 && miou <= 100))
    throw argumentError("benchTraining", "a mIoU above 0 and of at most 100 percent", miou);
  const job: Job = { device, threads, iterations, size };
  const before = getThreads();
  const folder = mkdtempSync(join(tmpdir(), "armseg-bench-training-"));
  setThreads(threads);
  keepFreedMemory();
  useCudnnBenchmark(device === "cuda");
  try {
    const place = placeOf(device);
    const config = configOf(job, join(folder, "scenes"), scenes);
    const data = await prepareData(config, { cacheFolder: join(folder, "cache"), say: () => {} });
    process.stderr.write("PyTorch trains first, if it is here, and says nothing meanwhile\n");
    const peer = await trainPeer(job, config, data, folder);
    const ours = await trainOurs(config, data, join(folder, "run"));
    return { size, iterations, place, ours, peer, ...whoReaches(ours, peer?.scores ?? null, miou) };
  } finally {
    setThreads(before);
    useCudnnBenchmark(false);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Returns the first score of each side that reaches a mIoU. @param miou - Default: the most that both sides reach. */
export function whoReaches(
  ours: readonly TrainingBenchScore[],
  peer: readonly TrainingBenchScore[] | null,
  miou?: number,
): Pick<TrainingBenchResult, "miou" | "reached"> {
  const best = (scores: readonly TrainingBenchScore[]) => Math.max(...scores.map((score) => score.mIoU));
  const target = miou ?? Math.min(best(ours), peer ? best(peer) : Number.POSITIVE_INFINITY);
  const first = (scores: readonly TrainingBenchScore[]) =>
    scores.find((score) => score.mIoU >= target) ?? null;
  return { miou: target, reached: { ours: first(ours), peer: peer && first(peer) } };
}

/** Formats the result as lines of text, ratio first. */
export function benchTrainingText(result: TrainingBenchResult): string {
  const { size, iterations, place, ours, peer } = result;
  const sides = [{ name: "armseg", scores: ours, reached: result.reached.ours }];
  if (peer) sides.push({ name: `PyTorch ${peer.torch}`, scores: peer.scores, reached: result.reached.peer });
  return [
    ratioLine(result),
    `DeepLabv3+ on resnet18, generated scenes, cross entropy, ${iterations} iterations of ${size.join("×")}`,
    placeText(place),
    ...textTable([
      ["", "iteration", "time", "processor", "mIoU at the end"],
      ...sides.map(({ name, scores, reached }) => [
        name,
        reached ? String(reached.iteration) : "never",
        reached ? `${reached.seconds.toFixed(1)} s` : "",
        reached ? `${reached.cpuSeconds.toFixed(1)} s` : "",
        `${(scores.at(-1)?.mIoU ?? Number.NaN).toFixed(1)}`,
      ]),
    ]),
  ].join("\n");
}

function ratioLine({ place, peer, miou, reached: { ours, peer: theirs } }: TrainingBenchResult): string {
  if (!peer) return `no Python with PyTorch for ${place.device} to compare with`;
  const goal = `mIoU ${miou.toFixed(1)}`;
  if (!ours && !theirs) return `neither reaches ${goal}`;
  if (!ours || !theirs) return `${ours ? "armseg" : "PyTorch"} alone reaches ${goal}`;
  const of = (key: "seconds" | "cpuSeconds") => (ours[key] / theirs[key]).toFixed(2);
  return `${of("seconds")} of PyTorch's time and ${of("cpuSeconds")} of its processor time to ${goal}`;
}
