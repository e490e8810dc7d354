import { DataError } from "../datasets/data-error.ts";
import { imageSize, readImage } from "../datasets/read-image.ts";
import { readLabel } from "../datasets/read-label.ts";
import { IGNORE_INDEX, type LabelImage, type RgbImage, type Sample } from "../datasets/sample.ts";
import { readWeights } from "../datasets/weights.ts";
import { type Augmentation, type AugmentationOptions, drawAugmentation } from "./augment.ts";
import { type ImageType, sampleViews } from "./batch.ts";
import {
  type LevelTables,
  type NormaliseOptions,
  normalisedLevels,
  plainLevels,
  writeFrame,
} from "./normalise.ts";
import { distortColors_ } from "./photometric.ts";
import { resizeImageWindow } from "./resize-image.ts";
import { type NumberMap, pickNearest } from "./resize-label.ts";
import type { OnStage, TrainingResult, TrainingTask } from "./task.ts";
import type { Size } from "./window.ts";

/** An augmented sample before normalisation and padding. */
export interface AugmentedSample {
  readonly augmentation: Augmentation;
  /** The crop, 8-bit, at most as large as asked for. */
  readonly image: RgbImage;
  readonly label: LabelImage;
  readonly weights: NumberMap<Float32Array> | null;
}

/**
 * Read, augment and normalise one sample into its place of a batch.
 *
 * @throws {DataError} If a file of it cannot be read, or it has no annotation.
 */
export async function fillTrainingSample(task: TrainingTask, onStage: OnStage): Promise<TrainingResult> {
  const { format, memory, place, augmentation } = task;
  const sample = await augmentSample(task.sample, task.key, augmentation, onStage);
  const views = sampleViews(memory, format, place);
  writeFrame(
    sample.image,
    levelsFor(augmentation.normalise, format.imageType),
    views.image,
    format.size,
    format.layout,
  );
  writeMap(sample.label, views.label, format.size, IGNORE_INDEX);
  if (views.weights) {
    if (sample.weights) writeMap(sample.weights, views.weights, format.size, 0);
    else
      writeMap(
        { ...sample.label, data: new Float32Array(sample.label.data.length).fill(1) },
        views.weights,
        format.size,
        0,
      );
  }
  return { validPixels: countValid(sample.label.data) };
}

/**
 * Read one sample and augment it: the label first, since the crop is chosen by its classes, then only the window of the image that is kept.
 *
 * @throws {DataError} If a file of it cannot be read, or it has no annotation.
 */
export async function augmentSample(
  sample: Sample,
  key: TrainingTask["key"],
  options: AugmentationOptions,
  onStage: OnStage = () => {},
): Promise<AugmentedSample> {
  const { annotation } = sample;
  if (!annotation)
    throw new DataError(
      `augmentSample(): ${sample.name} has no annotation; train on a split with labels`,
      sample.image,
    );
  onStage("reading the image");
  const size = await imageSize(sample.image);
  onStage("reading the label");
  const label = await readLabel(annotation, size);
  onStage("reading the weights");
  const weights = sample.weights === undefined ? null : await readWeights(sample.weights, size);
  onStage("reading the image");
  const image = await readImage(sample.image);
  onStage("augmenting");
  return applyAugmentation(image, label, weights, drawAugmentation(key, label, options));
}

/** Resize, crop, flip and distort a sample as drawn. */
export function applyAugmentation(
  image: RgbImage,
  label: LabelImage,
  weights: NumberMap<Float32Array> | null,
  augmentation: Augmentation,
): AugmentedSample {
  const { resized, window, flip, photometric } = augmentation;
  const crop = resizeImageWindow(image, resized, window, { flip });
  if (photometric) distortColors_(crop.data, photometric);
  const { height, width } = window;
  const cropLabel = { height, width, data: new Uint8Array(height * width) };
  pickNearest(label, resized, window, flip, cropLabel.data, width);
  const cropWeights = weights && { height, width, data: new Float32Array(height * width) };
  if (weights && cropWeights) pickNearest(weights, resized, window, flip, cropWeights.data, width);
  return { augmentation, image: crop, label: cropLabel, weights: cropWeights };
}

/** Tables are made once: a run has one normalisation. */
let kept: { key: string; levels: LevelTables } | undefined;

function levelsFor(normalise: NormaliseOptions, imageType: ImageType): LevelTables {
  const key = JSON.stringify([normalise, imageType]);
  if (kept?.key !== key)
    kept = { key, levels: imageType === "float32" ? normalisedLevels(normalise) : plainLevels(normalise) };
  return kept.levels;
}

/** Write a map into the top left corner of a frame and `padding` around it. */
function writeMap<T extends Uint8Array | Float32Array>(
  { data, height, width }: NumberMap<T>,
  out: T,
  frame: Size,
  padding: number,
): void {
  if (height < frame[0] || width < frame[1]) out.fill(padding);
  for (let y = 0; y < height; y++) out.set(data.subarray(y * width, (y + 1) * width), y * frame[1]);
}

function countValid(labels: Uint8Array): number {
  let valid = 0;
  for (let i = 0; i < labels.length; i++) if (labels[i] !== IGNORE_INDEX) valid++;
  return valid;
}
