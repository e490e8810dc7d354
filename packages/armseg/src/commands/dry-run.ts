import { totalmem } from "node:os";
import type { Baseline } from "../baselines/index.ts";
import { buildBaseline, buildTraining, type TrainingObjects, trainerSettings } from "../config/build.ts";
import { prepareData, type TrainingData } from "../config/build-data.ts";
import { buildEvaluation } from "../config/build-evaluation.ts";
import { buildLoader } from "../config/build-loaders.ts";
import { loadFromRun } from "../config/load-from-run.ts";
import { loadPretrained } from "../config/load-pretrained.ts";
import { withMeasuredModel } from "../config/measured-model.ts";
import { missingWeights } from "../config/pretrained.ts";
import type { Config } from "../config/schema.ts";
import { duration, Progress } from "../core/progress.ts";
import { teachingSchedule } from "../correction/teaching-schedule.ts";
import type { Loader } from "../pipeline/index.ts";
import { trainStep, type Weigh } from "../training/step.ts";
import { imagesPerEstimate } from "./estimate-coverage.ts";
import { prepareProcess } from "./prepare-process.ts";
import { imagesPerTeaching } from "./teach.ts";
import type { RunControl } from "./train.ts";
import { validate } from "./validate.ts";

/** What a training will take, measured. */
export interface TrainingPlan {
  readonly iterations: number;
  readonly epochs: number;
  readonly parameters: number;
  /** Batches that were run to measure. */
  readonly measured: number;
  /** The fastest of a few after the first, data not waited for. */
  readonly iterationSeconds: number;
  /** Evaluations of the training, and what one takes: measured on the first images, and multiplied. */
  readonly evaluations: number;
  readonly evaluationSeconds: number;
  /** Of all passes over training images for `correction`, evaluated alike; 0 without. */
  readonly correctionSeconds: number;
  /** Of all iterations, evaluations and corrections. */
  readonly totalHours: number;
  /** Largest resident memory of the process, in training and in evaluation. */
  readonly peakMemoryBytes: number;
  /** What is to be done about pretrained weights before the training; `null` for nothing. */
  readonly missingWeights: string | null;
  /** What would make it smaller or faster, where it is large or slow. */
  readonly advice: readonly string[];
}

/** Batches that are trained on. The command's help says so. */
const BATCHES = 3;
/** Images that are evaluated; the first is slower. */
const IMAGES = 2;

type Measured = Omit<TrainingPlan, "missingWeights" | "advice">;

/**
 * Checks the data, builds the model, runs three iterations and two images of an evaluation at full size, and writes nothing.
 *
 * @throws As a training would at its start; the signal's reason where it stops in between.
 */
export async function dryRun(
  given: Config,
  { stream = process.stderr, signal }: Omit<RunControl, "folder">,
): Promise<TrainingPlan> {
  const say = (text: string) => void stream?.write(`${text}\n`);
  const formatted = withMeasuredModel(given, say);
  const config: Config = { ...formatted, training: { ...formatted.training, batchCache: null } };
  prepareProcess(config, say);
  say("reading the data");
  const data = await prepareData(config, { say, stream });
  signal?.throwIfAborted();
  const classes = data.train.classes.length;
  const training = buildTraining(config, { classes, classWeights: data.classWeights });
  try {
    const missing = await loadWeights(config, training, say);
    using progress = new Progress("dry run", BATCHES + IMAGES, { stream: stream ?? { write: () => true } });
    const measured = await measure(config, data, training, (done, note) => {
      progress.update(done, note);
      signal?.throwIfAborted();
    });
    return { ...measured, missingWeights: missing, advice: adviceFor(config, measured) };
  } finally {
    training.dispose();
  }
}

/** Returns what is missing. */
async function loadWeights(
  config: Config,
  training: TrainingObjects,
  say: (text: string) => void,
): Promise<string | null> {
  const { from } = config.training;
  if (from !== null) {
    loadFromRun(training, from, say);
    return null;
  }
  const missing = missingWeights(config.model);
  if (missing === null) await loadPretrained(training, config, say);
  return missing;
}

type Told = (done: number, note: string) => void;

/** Runs a few iterations and images, and multiplies. */
async function measure(
  config: Config,
  data: TrainingData,
  training: TrainingObjects,
  onDone: Told,
): Promise<Measured> {
  const { schedule, optimizer } = config;
  await using loader = buildLoader(config, data, 0);
  await using baseline = buildBaseline(config, data, training, 0);
  const seconds = await timeSteps(training, loader, baseline, onDone);
  const iterationSeconds = Math.min(...seconds.slice(1)) * optimizer.accumulate;
  const { iterations } = schedule;
  const evaluations = Math.ceil(iterations / trainerSettings(config).intervals.evaluate);
  const evaluationSeconds = await timeEvaluation(config, data, training, onDone);
  const looks = correctionImages(config, data.train.samples.length);
  const correctionSeconds = (looks * evaluationSeconds) / data.val.samples.length;
  return {
    iterations,
    epochs: (iterations * optimizer.accumulate) / loader.iterationsPerEpoch,
    parameters: [...training.network.parameters()].reduce((sum, { numel }) => sum + numel, 0),
    measured: seconds.length,
    iterationSeconds,
    evaluations,
    evaluationSeconds,
    correctionSeconds,
    totalHours: (iterations * iterationSeconds + evaluations * evaluationSeconds + correctionSeconds) / 3600,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
  };
}

/** Images that the network looks at for the corrections of a training. @param images - To train on. */
function correctionImages(config: Config, images: number): number {
  const { correction, schedule } = config;
  const isTaught = correction.teacher || correction.relabel !== "none";
  const rounds = isTaught ? teachingSchedule(schedule.iterations, correction).iterations.length : 0;
  const { coverage } = trainerSettings(config).intervals;
  const estimates = correction.coverageOffset ? Math.ceil(schedule.iterations / coverage) - 1 + rounds : 0;
  return rounds * imagesPerTeaching(images) + estimates * imagesPerEstimate(images);
}

/** Seconds of steps of one batch each, data not waited for. */
async function timeSteps(
  training: TrainingObjects,
  loader: Loader,
  baseline: Baseline | null,
  onDone: Told,
): Promise<number[]> {
  const seconds: number[] = [];
  for (let i = 0; i < BATCHES; i++) {
    using batch = await loader.next();
    if (!batch) break;
    const start = performance.now();
    const step = (weigh: Weigh | null) => trainStep(training, [batch], "joint", weigh);
    if (baseline) await baseline.withMetaBatch(step);
    else step(null);
    seconds.push((performance.now() - start) / 1000);
    onDone(i + 1, `an iteration: ${seconds.at(-1)?.toFixed(2)} s`);
  }
  return seconds;
}

/** Seconds of an evaluation: of its first image once, of the others as of the fastest. */
async function timeEvaluation(
  config: Config,
  data: TrainingData,
  { network }: TrainingObjects,
  onDone: Told,
): Promise<number> {
  const settings = buildEvaluation(config);
  const { samples } = data.val;
  const seconds: number[] = [];
  for (const sample of samples.slice(0, IMAGES)) {
    const start = performance.now();
    await validate({ settings, dataset: { ...data.val, samples: [sample] }, network });
    seconds.push((performance.now() - start) / 1000);
    onDone(BATCHES + seconds.length, `an image of the evaluation: ${seconds.at(-1)?.toFixed(2)} s`);
  }
  return (seconds[0] ?? 0) + (samples.length - 1) * Math.min(...seconds);
}

/** More than this of the machine's memory leaves nothing for data and other programs. */
const FULL_MEMORY = 0.8;
const LONG_HOURS = 12;
const LARGE_EVALUATION_SHARE = 0.25;

function adviceFor({ evaluation }: Config, plan: Measured): string[] {
  const evaluationShare = (plan.evaluations * plan.evaluationSeconds) / 3600 / plan.totalHours;
  const isFull = plan.peakMemoryBytes > FULL_MEMORY * totalmem();
  return [
    ...(isFull
      ? [
          "Memory is nearly full. To shrink it: augmentation.crop, then training.batchSize with optimizer.accumulate.",
          ...(evaluation.mode === "whole"
            ? ["Whole images are evaluated at once: evaluation.mode slide, or evaluation.base, takes less."]
            : []),
        ]
      : []),
    ...(evaluationShare > LARGE_EVALUATION_SHARE
      ? [
          `Evaluations take ${(100 * evaluationShare).toFixed(0)} % of the time: raise training.evaluateEvery.`,
        ]
      : []),
    ...(plan.totalHours > LONG_HOURS
      ? [
          "To shorten it, in this order: a smaller model.backbone (resnet18, mobilenetV2), model.outputStride 16, model.headChannels, augmentation.crop, schedule.iterations.",
        ]
      : []),
  ];
}

/** Returns the plan as lines for a terminal. */
export function dryRunText(plan: TrainingPlan): string {
  const { evaluations, evaluationSeconds } = plan;
  return [
    `parameters        ${plan.parameters.toLocaleString("en")}`,
    `iterations        ${plan.iterations.toLocaleString("en")} (${plan.epochs.toFixed(1)} epochs)`,
    `an iteration      ${plan.iterationSeconds.toFixed(2)} s, the fastest of ${plan.measured}`,
    `an evaluation     ${duration(evaluationSeconds * 1000)}, ${evaluations} of them`,
    ...(plan.correctionSeconds > 0
      ? [`corrections       ${duration(plan.correctionSeconds * 1000)} in all`]
      : []),
    `all of it         ${duration(plan.totalHours * 3_600_000)}`,
    `peak memory       ${(plan.peakMemoryBytes / 2 ** 30).toFixed(1)} GiB of ${(totalmem() / 2 ** 30).toFixed(1)}`,
    ...(plan.advice.length === 0 ? [] : ["", ...plan.advice]),
    ...(plan.missingWeights === null ? [] : ["", plan.missingWeights]),
  ].join("\n");
}
