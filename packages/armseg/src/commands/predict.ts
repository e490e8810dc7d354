import { statSync } from "node:fs";
import { join } from "node:path";
import { readConfig } from "../config/read-config.ts";
import { Trailing } from "../core/trailing.ts";
import { withImageRange } from "../data/image-form.ts";
import { readImage } from "../data/read-image.ts";
import type { Sample } from "../data/sample.ts";
import {
  expandInputs,
  type InputImage,
  type Prediction,
  predictImage,
  writePrediction,
} from "../evaluation/index.ts";
import { isModelPath } from "../export/index.ts";
import { isMapsFolder } from "../runs/maps/index.ts";
import { loadNetwork, mapsInfo, type TrainedOptions } from "./evaluate.ts";
import { MapsWriter } from "./maps-writer.ts";
import { loadModel } from "./model.ts";
import type { Predictor } from "./predictor.ts";

export interface PredictControl {
  /** Ends after the image in hand. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** @property folder - Of a run, or the file of an exported model. */
export interface PredictRunOptions extends TrainedOptions, PredictControl {
  /** For a model: the configuration whose `evaluation` says how images are shown to it. Default: whole, as the run had it. */
  readonly data?: string;
  /** Images, folders, patterns. */
  readonly inputs: readonly string[];
  /** Folder that the label PNGs go to. */
  readonly out: string;
  /** Also write the labels' colours over the image. Default false. */
  readonly overlay?: boolean;
  /** Also write the confidence as a picture. Default false. */
  readonly confidence?: boolean;
  /** Also write what Studio shows: the confidence as a plane of bytes, and a list of the images. Default false. */
  readonly maps?: boolean;
  /** Replace files that exist. Default false. */
  readonly overwrite?: boolean;
}

export interface PredictRunResult {
  readonly checkpoint: string;
  readonly images: number;
  /** Reading, predicting and writing, from the first image to the last; `null` without an image. */
  readonly imagesPerSecond: number | null;
  readonly files: readonly string[];
}

/**
 * Predicts images one after another, at the size that each has on disk, and hands each prediction on. While one is predicted, the next ones are
 * read and the one before is used.
 *
 * @param use - Called in the order of the samples, each call after the end of the one before.
 * @returns The number of images predicted.
 */
export async function predictSamples(
  { predictLogits, settings }: Predictor,
  samples: readonly Sample[],
  use: (sample: Sample, prediction: Prediction) => Promise<void>,
  { signal, onProgress }: PredictControl,
): Promise<number> {
  const { inference, device, indicator } = settings;
  await using reader = settings.read(samples);
  await using uses = new Trailing();
  let done = 0;
  for await (const image of reader) {
    if (signal?.aborted) break;
    const prediction = predictImage(predictLogits, image, {
      ...inference,
      originalSize: image.originalSize,
      device,
      indicator,
    });
    await uses.start(() => use(image.sample, prediction));
    done += 1;
    onProgress?.(done, samples.length);
  }
  await uses.end();
  return done;
}

/**
 * Predicts the classes of images with the network of a run, or with an exported model: `NAME.png`, and where asked `NAME_overlay.png` and
 * `NAME_confidence.png`.
 *
 * @throws {Error} If an input names no image, an image cannot be read or would be written over, or a file exists and `overwrite` is not set.
 */
export async function predictRun(options: PredictRunOptions): Promise<PredictRunResult> {
  const { out, overwrite = false, confidence = false } = options;
  const inputs = await expandInputs(options.inputs);
  using predictor = openPredictor(options);
  const { imageRange } = predictor;
  const samples = withImageRange(
    inputs.map(({ path, name }): Sample => ({ name, image: path })),
    imageRange,
  );
  refuseInputs(options, inputs);
  const files: string[] = [];
  const maps = options.maps ? openMaps(options, predictor) : null;
  const write = async ({ name, image }: Sample, prediction: Prediction) => {
    const pixels = options.overlay ? await readImage(image, { range: imageRange }) : null;
    const settings = { classes: predictor.classes, image: pixels, confidence, overwrite };
    files.push(...(await writePrediction(out, name, prediction, settings)));
    await maps?.add(
      { name, image, ...(imageRange && { imageRange }) },
      { ...prediction, prediction: prediction.label, label: null },
    );
  };
  const start = performance.now();
  const images = await predictSamples(predictor, samples, write, options);
  const seconds = (performance.now() - start) / 1000;
  const imagesPerSecond = images === 0 ? null : Number((images / seconds).toPrecision(3));
  return { checkpoint: predictor.checkpoint, images, imagesPerSecond, files };
}

function openPredictor({ folder, data, overrides, ...options }: PredictRunOptions): Predictor {
  if (!isModelPath(folder)) return loadNetwork({ folder, ...options, ...(overrides && { overrides }) });
  return loadModel({ path: folder, config: data === undefined ? undefined : readConfig(data, overrides) });
}

/** What a prediction's files end in. */
const ENDINGS = ["", "_overlay", "_confidence"];

/** @throws {Error} If a file that would be written is one of the images, by whatever name or link. */
function refuseInputs({ out }: PredictRunOptions, inputs: readonly InputImage[]): void {
  const images = new Map(inputs.map(({ path }) => [identity(path), path]));
  for (const { name } of inputs) {
    for (const ending of ENDINGS) {
      const file = join(out, `${name}${ending}.png`);
      const image = images.get(identity(file) ?? "");
      if (image === undefined) continue;
      throw new Error(
        `predictRun(): ${file} would be written over the image ${image}; name another folder with --out`,
      );
    }
  }
}

/** Tells a file from all others, however it is reached; undefined where there is none. */
function identity(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stat && `${stat.dev}:${stat.ino}`;
}

/** Begins the maps beside the predictions. @throws {Error} If there are some, and `overwrite` is not set. */
function openMaps({ out, folder, overwrite = false }: PredictRunOptions, predictor: Predictor): MapsWriter {
  if (isMapsFolder(out) && !overwrite)
    throw new Error(
      `predictRun(): ${out} already holds maps and is not overwritten; add --overwrite, or name another folder with --out`,
    );
  return new MapsWriter(out, mapsInfo(folder, predictor, null), { predictionFile: (name) => `${name}.png` });
}
