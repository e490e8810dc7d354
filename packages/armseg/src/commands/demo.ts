import { join } from "node:path";
import { scenesClasses } from "@armseg/scenes";
import { networkConfig } from "../config/build.ts";
import { withMeasuredModel } from "../config/measured-model.ts";
import { checkConfig } from "../config/read-config.ts";
import type { Config } from "../config/schema.ts";
import { timeStep } from "../networks/time-step.ts";
import { imageNetWeights } from "../networks/weights/imagenet.ts";
import { isCached } from "../networks/weights/weights-cache.ts";
import { writeComparison } from "../report/write-report.ts";
import { type RunControl, type RunResult, startTraining } from "./train.ts";

/** What the demo made. */
export interface DemoResult {
  readonly plain: RunResult;
  readonly arm: RunResult;
  /** The page that compares both. */
  readonly report: string;
}

/** Seconds of each of the two trainings, so that both are done within five minutes; half way through the first there is something to look at. */
const TRAINING_SECONDS = 105;
const FEWEST_ITERATIONS = 150;
/** Then the scenes are learned. */
const MOST_ITERATIONS = 1_500;
const BACKBONE = "resnet18";
const BATCH = 4;
const CROP = [80, 112] as const;

/** Where ImageNet weights of the demo's backbone are at hand, they are taken; nothing is downloaded. */
function weightsAtHand(): "imagenet" | null {
  return isCached(imageNetWeights({ backbone: BACKBONE, stem: "v1", strideOn: "3x3" })) ? "imagenet" : null;
}

/** A training that two processor cores finish in minutes: small scenes, a small network, and a rate at which it learns from random weights. */
function demoConfig(folder: string, curve: "none" | "arm", iterations: number): Config {
  return checkConfig(
    {
      name: curve === "none" ? "plain cross entropy" : "ARM",
      data: {
        format: "scenes",
        annotations: "coarse",
        scenes: { folder: join(folder, "scenes"), count: { train: 160, val: 24 }, size: [96, 192] },
      },
      model: {
        backbone: BACKBONE,
        stem: "v1",
        stages: 3,
        outputStride: 16,
        head: "deeplabV3PlusOriginal",
        headChannels: 64,
        auxiliaryHead: false,
        weights: weightsAtHand(),
      },
      loss: { classWeights: "inverse-log" }, // else poles, signs and people are not begun to be learned in so short a time
      reweighting: { curve, learningRateMultiplier: 10 },
      optimizer: { type: "adamw", learningRate: 0.003, weightDecay: 0.01 },
      schedule: { iterations, type: "poly" },
      augmentation: { crop: [...CROP], scale: [0.75, 1.5] },
      training: { batchSize: BATCH, evaluateEvery: Math.ceil(iterations / 2), checkpointEvery: iterations },
    },
    "the demo",
  );
}

/**
 * Returns the iterations that fit the time on this machine, measured by a few steps. These first steps are slower than the later
 * ones by about what loading, updates and evaluations add to those.
 */
function iterationsThatFit(config: Config): number {
  const seconds = timeStep(networkConfig(config, scenesClasses.length), {
    batch: BATCH,
    crop: CROP,
    device: "cpu",
    precision: "float32",
  });
  const fitting = Math.floor(TRAINING_SECONDS / seconds / 10) * 10;
  return Math.min(MOST_ITERATIONS, Math.max(FEWEST_ITERATIONS, fitting));
}

/**
 * Generates street scenes, draws coarse labels, trains a small DeepLabv3+ on them twice (plain cross entropy, ARM), scores
 * both on fine labels and writes a report that compares them; each training as long as five minutes for both allow on this machine.
 *
 * @param folder - A new folder for everything.
 * @param control.iterations - Of each training. Default: what fits the time.
 */
export async function runDemo(
  folder: string,
  control: Omit<RunControl, "folder"> & { readonly iterations?: number } = {},
): Promise<DemoResult> {
  const { iterations: wanted, ...rest } = control;
  const { stream = process.stderr } = rest;
  const say = (text: string) => void stream?.write(`${text}\n`);
  const measured = withMeasuredModel(demoConfig(folder, "none", FEWEST_ITERATIONS), say);
  const iterations = wanted ?? iterationsThatFit(measured);
  say(
    `demo: two trainings of ${iterations} iterations on generated scenes, ${measured.model.weights === null ? "from random weights" : "from ImageNet weights"}`,
  );
  const train = (curve: "none" | "arm") =>
    startTraining(demoConfig(folder, curve, iterations), {
      ...rest,
      folder: join(folder, curve === "none" ? "plain" : "arm"),
      reportsEarly: curve === "none",
    });
  const plain = await train("none");
  rest.signal?.throwIfAborted();
  say("Now the same with ARM.");
  const arm = await train("arm");
  const report = join(folder, "report.html");
  writeComparison(report, "Coarse labels: plain cross entropy and ARM", [plain.folder, arm.folder]);
  return { plain, arm, report };
}
