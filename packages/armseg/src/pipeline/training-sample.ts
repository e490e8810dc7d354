import { IGNORE_INDEX } from "../core/ignore-index.ts";
import { DataError } from "../data/data-error.ts";
import { readLabel } from "../data/labels/read-label.ts";
import type { LabelImage, RgbImage, Sample } from "../data/sample.ts";
import { readWeights } from "../data/weights.ts";
import { type Augmentation, type AugmentationOptions, drawAugmentation } from "./augment.ts";
import { sampleViews } from "./batch.ts";
import { type ImageFile, openImageFile } from "./image-file.ts";
import { type LevelTables, type NormaliseOptions, normalisedLevels, writePixels } from "./normalise.ts";
import { colorDistortion } from "./photometric.ts";
import { type ImagePart, resizeRows, sourceWindow } from "./resize-image.ts";
import { type NumberMap, pickNearest } from "./resize-label.ts";
import type { OnStage, TrainingResult, TrainingTask } from "./task.ts";
import type { Size } from "./window.ts";

/** What an augmented sample is made from. */
export interface DrawnSample {
  readonly augmentation: Augmentation;
  /** The pixels that the crop needs. */
  readonly part: ImagePart;
  readonly label: LabelImage;
  readonly weights: NumberMap<Float32Array> | null;
}

/**
 * Reads, augments and normalises one sample into its part of a batch.
 *
 * @throws {DataError} If a file of it cannot be read, or it has no annotation.
 */
export async function fillTrainingSample(task: TrainingTask, onStage: OnStage): Promise<TrainingResult> {
  const { format, memory, index, augmentation } = task;
  const drawn = await readSample(task.sample, task, augmentation, onStage);
  onStage("augmenting");
  const views = sampleViews(memory, format, index);
  writeCrop(drawn, levelsFor(augmentation.normalise), views.image, format.size);
  writeMap(drawn.label, drawn.augmentation, views.label, format.size, IGNORE_INDEX);
  if (views.weights)
    writeMap(drawn.weights ?? ones(drawn.label), drawn.augmentation, views.weights, format.size, 0);
  return { validPixels: countValid(views.label) };
}

/**
 * Reads what is needed of a sample: the label first, since the crop is chosen by its classes, then only the pixels of the image that the crop
 * is made of.
 *
 * @throws {DataError} If a file of it cannot be read, or it has no annotation.
 */
export async function readSample(
  sample: Sample,
  { key, taughtWeight }: Pick<TrainingTask, "key" | "taughtWeight">,
  options: AugmentationOptions,
  onStage: OnStage,
): Promise<DrawnSample> {
  const { annotation } = sample;
  if (!annotation)
    throw new DataError(
      `readSample(): ${sample.name} has no annotation; train on a split with labels`,
      sample.image,
    );
  onStage("reading the image");
  const image = await openImageFile(sample.image, sample.imageRange);
  onStage("reading the label");
  const drawn = await readLabel(annotation, image.size);
  onStage("reading the weights");
  const given = sample.weights === undefined ? null : await readWeights(sample.weights, image.size);
  onStage("reading the taught label");
  const label = sample.taught === undefined ? drawn : await readLabel(sample.taught, image.size);
  const weights = label === drawn ? given : taughtWeights(drawn, label, given ?? ones(label), taughtWeight);
  onStage("augmenting");
  const augmentation = drawAugmentation(key, label, options);
  onStage("reading the image");
  return { augmentation, part: await readPart(image, augmentation), label, weights };
}

/**
 * Reads the pixels that a crop is made of, of an image that is decoded no larger than it need be: as small as it can be without its being
 * enlarged.
 */
async function readPart(image: ImageFile, { resized, window }: Augmentation): Promise<ImagePart> {
  const [height, width] = image.size;
  const reduction = Math.max(
    ...image.reductions.filter((by) => by === 1 || (resized[0] * by <= height && resized[1] * by <= width)),
  );
  const imageSize: Size = [height / reduction, width / reduction];
  const source = sourceWindow(imageSize, resized, window);
  const pixels = await image.read(source, reduction);
  return { pixels, imageSize, top: source.top, left: source.left };
}

/** Returns the crop of the image, resized, flipped and distorted as drawn. */
export function augmentImage(drawn: DrawnSample): RgbImage {
  const { height, width } = drawn.augmentation.window;
  const data = new Uint8Array(height * width * 3);
  augmentRows(drawn, (pixels, y, x) => data.set(pixels, 3 * (y * width + x)));
  return { height, width, data };
}

/** Writes the crop of the image, normalised, into the top left corner of a frame and zeros around it. */
function writeCrop(drawn: DrawnSample, levels: LevelTables, out: Float32Array, frame: Size): void {
  const { window } = drawn.augmentation;
  if (window.height < frame[0] || window.width < frame[1]) out.fill(0);
  augmentRows(drawn, (pixels, y, x) => writePixels(pixels, levels, out, frame, y, x));
}

/** Makes the crop of the image some pixels at a time, see {@link resizeRows}. */
function augmentRows(
  { part, augmentation }: Pick<DrawnSample, "part" | "augmentation">,
  each: (pixels: Uint8Array, y: number, x: number) => void,
): void {
  const { resized, window, flip, photometric } = augmentation;
  const distort_ = photometric && colorDistortion(photometric);
  resizeRows(part, resized, window, flip, (pixels, y, x) => {
    distort_?.(pixels);
    each(pixels, y, x);
  });
}

/** Writes the crop of a map, resized by nearest neighbour and flipped as drawn, into the top left corner of a frame and `padding` around it. */
export function writeMap<T extends Uint8Array | Float32Array>(
  map: NumberMap<T>,
  { resized, window, flip }: Augmentation,
  out: T,
  frame: Size,
  padding: number,
): void {
  if (window.height < frame[0] || window.width < frame[1]) out.fill(padding);
  pickNearest(map, resized, window, flip, out, frame[1]);
}

/** Tables are made once: a run has one normalisation. */
let keptLevels: { key: string; levels: LevelTables } | undefined;

function levelsFor(normalise: NormaliseOptions): LevelTables {
  const key = JSON.stringify(normalise);
  if (keptLevels?.key !== key) keptLevels = { key, levels: normalisedLevels(normalise) };
  return keptLevels.levels;
}

/** Returns the weights with those of the pixels multiplied that are not as they were drawn. */
function taughtWeights(
  drawn: LabelImage,
  { data }: LabelImage,
  weights: NumberMap<Float32Array>,
  factor: number,
): NumberMap<Float32Array> {
  const changed = weights.data.map((weight, i) => (data[i] === drawn.data[i] ? weight : factor * weight));
  return { ...weights, data: changed };
}

function ones({ height, width }: LabelImage): NumberMap<Float32Array> {
  return { height, width, data: new Float32Array(height * width).fill(1) };
}

function countValid(labels: Uint8Array): number {
  let valid = 0;
  for (let i = 0; i < labels.length; i++) valid += labels[i]! === IGNORE_INDEX ? 0 : 1;
  return valid;
}
