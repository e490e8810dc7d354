import { readLabel } from "../data/labels/read-label.ts";
import { readImage } from "../data/read-image.ts";
import { normalisedLevels, writeFrame } from "./normalise.ts";
import { resizedSize } from "./random-resize.ts";
import { resizeImageWindow, wholePart } from "./resize-image.ts";
import type { EvaluationResult, EvaluationTask, OnStage } from "./task.ts";
import { type Size, wholeImage } from "./window.ts";

/**
 * Read a whole image, fit it into the base size and normalise it; its label stays in the size on disk, as logits are resized to it.
 *
 * @throws {DataError} If a file of it cannot be read.
 */
export async function readEvaluationSample(
  task: EvaluationTask,
  onStage: OnStage,
): Promise<EvaluationResult> {
  const { sample, base, normalise, layout } = task;
  onStage("reading the image");
  const image = await readImage(sample.image);
  const originalSize: Size = [image.height, image.width];
  onStage("reading the label");
  const label = sample.annotation ? await readLabel(sample.annotation, originalSize) : null;
  onStage("augmenting");
  const size = base ? resizedSize(originalSize, base) : originalSize;
  const resized = resizeImageWindow(wholePart(image), size, wholeImage(size));
  const out = new Float32Array(3 * size[0] * size[1]);
  writeFrame(resized, normalisedLevels(normalise), out, size, layout);
  return { image: out, size, originalSize, label };
}
