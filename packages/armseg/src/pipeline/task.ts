import type { LabelImage, Sample } from "../data/sample.ts";
import type { AugmentationOptions } from "./augment.ts";
import type { BatchFormat, BatchMemory } from "./batch.ts";
import type { NormaliseOptions } from "./normalise.ts";
import type { Size } from "./window.ts";

/** Fills one sample of a training batch. */
export interface TrainingTask {
  readonly kind: "training";
  readonly sample: Sample;
  /** What the sample's random numbers are drawn from; `index` counts over all ranks. */
  readonly key: { readonly seed: number; readonly iteration: number; readonly index: number };
  readonly augmentation: AugmentationOptions;
  readonly format: BatchFormat;
  readonly memory: BatchMemory;
  /** Index in the batch of this rank. */
  readonly index: number;
  /** Weight of the pixels whose class is a teacher's, not the annotator's. */
  readonly taughtWeight: number;
}

export interface TrainingResult {
  readonly validPixels: number;
}

/** Reads one whole image for evaluation. */
export interface EvaluationTask {
  readonly kind: "evaluation";
  readonly sample: Sample;
  /** Fit the image into this size keeping its aspect ratio, or leave it as it is. */
  readonly base: Size | null;
  readonly normalise: NormaliseOptions;
}

export interface EvaluationResult {
  /** `[3, h, w]`, normalised. */
  readonly image: Float32Array;
  /** `[h, w]` of the image as it is fed to the network. */
  readonly size: Size;
  /** `[height, width]` on disk, which is also the label's. */
  readonly originalSize: Size;
  readonly label: LabelImage | null;
}

export type Task = TrainingTask | EvaluationTask;

/** A thread's answer to a task; an error with a path is a file that cannot be read. */
export type Answer =
  | { readonly result: TrainingResult | EvaluationResult }
  | { readonly error: { readonly message: string; readonly path: string | null } };

/** What a task yields. */
export type ResultOf<T extends Task> = T extends TrainingTask ? TrainingResult : EvaluationResult;

/** What a thread is doing, in the words of the watchdog's message. */
export const STAGES = [
  "starting",
  "reading the label",
  "reading the image",
  "reading the weights",
  "reading the taught label",
  "augmenting",
] as const;
export type Stage = (typeof STAGES)[number];
export type OnStage = (stage: Stage) => void;

/** Returns the file that a stage of a task is about. */
export function fileOf({ sample }: Task, stage: Stage): string {
  if (stage === "reading the label") return sample.annotation?.path ?? sample.image;
  if (stage === "reading the taught label") return sample.taught?.path ?? sample.image;
  if (stage === "reading the weights") return sample.weights ?? sample.image;
  return sample.image;
}
