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
import { type AuditOutcome, auditRun } from "./audit.ts";
import { type RunControl, type RunResult, startTraining } from "./train.ts";

/** What the demo made. */
export interface DemoResult {
  readonly plain: RunResult;
  /** With ARM, and a teacher that fills what was left out. */
  readonly corrected: RunResult;
  /** Of the plain run's training labels, measured against the fine ones. */
  readonly audit: AuditOutcome;
  /** The page that compares both. */
  readonly report: string;
}

/** Seconds of each of the two trainings, so that all is done within five minutes; half way through the first there is something to look at. */
const TRAINING_SECONDS = 105;
const FEWEST_ITERATIONS = 150;
/** Then the scenes are learned. */
const MOST_ITERATIONS = 1_500;
const BACKBONE = "resnet18";
const BATCH = 4;
const CROP = [80, 112] as const;
/** Share of the coarse polygons that have a wrong class: as real ones have, and there is something for the audit to find. */
const WRONG = 0.1;

/** Where ImageNet weights of the demo's backbone are at hand, they are taken; nothing is downloaded. */
function weightsAtHand(): "imagenet" | null {
  return isCached(imageNetWeights({ backbone: BACKBONE, stem: "v1", strideOn: "3x3" })) ? "imagenet" : null;
}

const NAMES = { plain: "plain cross entropy", corrected: "ARM, gaps filled by a teacher" } as const;

/** A training that two processor cores finish in minutes: small scenes, a small network, and a rate at which it learns from random weights. */
function demoConfig(folder: string, kind: keyof typeof NAMES, iterations: number): Config {
  const isPlain = kind === "plain";
  return checkConfig(
    {
      name: NAMES[kind],
      data: {
        format: "scenes",
        annotations: "coarse",
        scenes: {
          folder: join(folder, "scenes"),
          count: { train: 160, val: 24 },
          size: [96, 192],
          wrong: WRONG,
        },
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
      reweighting: { curve: isPlain ? "none" : "arm", learningRateMultiplier: 10 },
      correction: { teacher: !isPlain },
      optimizer: { type: "adamw", learningRate: 0.003, weightDecay: 0.01 },
      schedule: { iterations, type: "poly" },
      augmentation: { crop: [...CROP], scale: [0.75, 1.5] },
      training: {
        batchSize: BATCH,
        ema: 0.99,
        evaluateEvery: Math.ceil(iterations / 2),
        checkpointEvery: iterations,
      },
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
 * Shows the way from coarse to fine on generated street scenes: draws coarse labels, some of them wrong; trains a small DeepLabv3+ on
 * them with plain cross entropy; audits the labels with it; trains again with ARM and a teacher that fills what was left out; scores
 * both on fine labels and writes a report that compares them. Each training is as long as five minutes for all of it allow on this
 * machine.
 *
 * @param folder - A new folder for everything.
 * @param control.iterations - Of each training. Default: what fits the time.
 */
export async function runDemo(
  folder: string,
  control: Omit<RunControl, "folder"> & { readonly iterations?: number } = {},
): Promise<DemoResult> {
  const { iterations: wanted, ...rest } = control;
  const { stream = process.stderr, signal } = rest;
  const say = (text: string) => void stream?.write(`${text}\n`);
  const measured = withMeasuredModel(demoConfig(folder, "plain", FEWEST_ITERATIONS), say);
  const iterations = wanted ?? iterationsThatFit(measured);
  say(
    `demo: two trainings of ${iterations} iterations on generated scenes, ${measured.model.weights === null ? "from random weights" : "from ImageNet weights"}`,
  );
  const train = (kind: keyof typeof NAMES) =>
    startTraining(demoConfig(folder, kind, iterations), {
      ...rest,
      folder: join(folder, kind),
      reportsEarly: kind === "plain",
    });
  const plain = await train("plain");
  signal?.throwIfAborted();
  say("What does that network doubt in the labels that it was trained on?");
  const audit = await auditRun({
    folder: plain.folder,
    against: true,
    planes: false,
    ...(signal && { signal }),
  });
  say(`${audit.summary.regions} regions, the surest first: ${audit.paths.page}`);
  say("Now with ARM, and a teacher that fills what was left out.");
  const corrected = await train("corrected");
  const report = join(folder, "report.html");
  writeComparison(report, `Coarse labels: ${NAMES.plain}, and ${NAMES.corrected}`, [
    plain.folder,
    corrected.folder,
  ]);
  return { plain, corrected, audit, report };
}
