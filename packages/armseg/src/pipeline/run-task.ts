import { readLabel } from "../data/labels/read-label.ts";
import { readImage } from "../data/read-image.ts";
import { normalisedLevels, writeFrame } from "./normalise.ts";
import { resizedSize } from "./random-resize.ts";
import { resizeImageWindow, wholePart } from "./resize-image.ts";
import type { EvaluationResult, EvaluationTask, OnStage, ResultOf, Task } from "./task.ts";
import { fillTrainingSample } from "./training-sample.ts";
import { type Size, wholeImage } from "./window.ts";

/**
 * Does one task: a pure function of the task and the files it names.
 *
 * @throws {DataError} If a file of it cannot be read.
 */
export async function runTask<T extends Task>(task: T, onStage: OnStage): Promise<ResultOf<T>> {
  const result =
    task.kind === "training"
      ? await fillTrainingSample(task, onStage)
      : await readEvaluationSample(task, onStage);
  return result as ResultOf<T>;
}

/**
 * Reads a whole image, fits it into the base size and normalises it; its label stays in the size on disk, as logits are resized to it.
 *
 * @throws {DataError} If a file of it cannot be read.
 */
async function readEvaluationSample(task: EvaluationTask, onStage: OnStage): Promise<EvaluationResult> {
  const { sample, base, normalise } = task;
  onStage("reading the image");
  const image = await readImage(sample.image, { range: sample.imageRange });
  const originalSize: Size = [image.height, image.width];
  onStage("reading the label");
  const annotation = sample.taught ?? sample.annotation;
  const label = annotation ? await readLabel(annotation, originalSize) : null;
  onStage("augmenting");
  const size = base ? resizedSize(originalSize, base) : originalSize;
  const resized = resizeImageWindow(wholePart(image), size, wholeImage(size));
  const out = new Float32Array(3 * size[0] * size[1]);
  writeFrame(resized, normalisedLevels(normalise), out, size);
  return { image: out, size, originalSize, label };
}
