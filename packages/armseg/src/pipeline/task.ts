import type { LabelImage, Sample } from "../data/sample.ts";
import type { AugmentationOptions } from "./augment.ts";
import type { BatchFormat, BatchMemory } from "./batch.ts";
import { readEvaluationSample } from "./evaluation-sample.ts";
import type { MemoryLayout, NormaliseOptions } from "./normalise.ts";
import { fillTrainingSample } from "./training-sample.ts";
import type { Size } from "./window.ts";

/** Fill one place of a training batch. */
export interface TrainingTask {
  readonly kind: "training";
  readonly sample: Sample;
  /** What the sample's random numbers are drawn from; `index` counts over all ranks. */
  readonly key: { readonly seed: number; readonly iteration: number; readonly index: number };
  readonly augmentation: AugmentationOptions;
  readonly format: BatchFormat;
  readonly memory: BatchMemory;
  /** Place in the batch of this rank. */
  readonly place: number;
}

export interface TrainingResult {
  readonly validPixels: number;
}

/** Read one whole image for evaluation. */
export interface EvaluationTask {
  readonly kind: "evaluation";
  readonly sample: Sample;
  /** Fit the image into this size keeping its aspect ratio, or leave it as it is. */
  readonly base: Size | null;
  readonly normalise: NormaliseOptions;
  readonly layout: MemoryLayout;
}

export interface EvaluationResult {
  /** `[3, h, w]` or `[h, w, 3]`, normalised. */
  readonly image: Float32Array;
  /** `[h, w]` of the image as it is fed to the network. */
  readonly size: Size;
  /** `[height, width]` on disk, which is also the label's. */
  readonly originalSize: Size;
  readonly label: LabelImage | null;
}

export type Task = TrainingTask | EvaluationTask;

/** What a task yields. */
export type ResultOf<T extends Task> = T extends TrainingTask ? TrainingResult : EvaluationResult;

/** What a thread is doing, in the words of the watchdog's message. */
export const STAGES = [
  "starting",
  "reading the label",
  "reading the image",
  "reading the weights",
  "augmenting",
] as const;
export type Stage = (typeof STAGES)[number];
export type OnStage = (stage: Stage) => void;

/** Do one task: a pure function of the task and the files it names. */
export async function runTask<T extends Task>(task: T, onStage: OnStage): Promise<ResultOf<T>> {
  const result =
    task.kind === "training"
      ? await fillTrainingSample(task, onStage)
      : await readEvaluationSample(task, onStage);
  return result as ResultOf<T>;
}

/** The file that a stage of a task is about. */
export function fileOf({ sample }: Task, stage: Stage): string {
  if (stage === "reading the label") return sample.annotation?.path ?? sample.image;
  if (stage === "reading the weights") return sample.weights ?? sample.image;
  return sample.image;
}
