import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { type Device, fromTypedArray, noGrad, tidy } from "@armseg/torch";
import type { EvaluationSettings } from "../config/build-evaluation.ts";
import { writeFileAtomically } from "../core/atomic-file.ts";
import { evenlySpaced } from "../core/evenly-spaced.ts";
import { colorize, encodeRgbPng, type FloatMap, heatmap } from "../data/drawing/index.ts";
import type { Dataset, RgbImage } from "../data/sample.ts";
import { ConfusionMatrix, type Prediction, predictImage } from "../evaluation/index.ts";
import type { Segmenter } from "../networks/index.ts";
import type { EvaluationImage, NormaliseOptions } from "../pipeline/index.ts";
import type { Curve } from "../reweighting/index.ts";
import type { SampleImage, SampleRecord } from "../runs/records.ts";
import { runPaths } from "../runs/run-folder.ts";
import { MapsWriter } from "./maps-writer.ts";
import { inEvaluationMode, logitsOf } from "./validate.ts";

const ROWS = 4;

/** How many images of a split are drawn. */
export function sampleCount({ samples }: Dataset): number {
  return Math.min(ROWS, samples.length);
}

/** The image as it was before normalisation, at the size the network sees. */
function toRgb({ image, size }: EvaluationImage, { mean, std }: NormaliseOptions): RgbImage {
  const [height, width] = size;
  const pixels = height * width;
  const data = new Uint8Array(3 * pixels);
  for (let c = 0; c < 3; c++) {
    for (let i = 0; i < pixels; i++) {
      data[3 * i + c] = Math.round((image[c * pixels + i] as number) * std[c]! + mean[c]!);
    }
  }
  return { height, width, data };
}

/** The weight that the curve gives each pixel, over the image's mean: the scale of a curve means nothing, and a learned one may shrink to 0.005. */
function weightMap(curve: Curve, { height, width, data }: FloatMap, device: Device): FloatMap {
  return tidy(() => {
    const weights = noGrad(() => {
      const raw = curve.call(fromTypedArray(data, [height, width]).to(device, "float32"));
      return raw.div(raw.mean().clampMin(1e-30));
    });
    return { height, width, data: weights.cpu().contiguous().toTypedArray() as Float32Array };
  });
}

/**
 * Draws image, label, prediction, confidence and weight of a few images of a split into a run's figures.
 *
 * @param folder - The run folder; files go to `figures/samples`.
 * Their planes go to `maps/samples`, where Studio finds them.
 *
 * @returns One record per image, for the log. The network is in its mode of before afterwards.
 */
export function drawSamples(
  folder: string,
  dataset: Dataset,
  { network, curve }: { readonly network: Segmenter; readonly curve: Curve | null },
  settings: EvaluationSettings,
  iteration: number,
): Promise<SampleRecord[]> {
  mkdirSync(join(folder, "figures", "samples"), { recursive: true });
  return inEvaluationMode(network, async () => {
    const records: SampleRecord[] = [];
    const maps = new MapsWriter(runPaths(folder).sampleMaps, {
      version: 1,
      run: basename(resolve(folder)),
      checkpoint: `iteration ${iteration}`,
      iteration,
      split: dataset.split,
      indicator: settings.indicator,
      classes: dataset.classes.map(({ name, color }) => ({ name, color: [...color] })),
    });
    // Spread over the split, so that they are not four frames of one street.
    await using reader = settings.read(evenlySpaced(dataset.samples, ROWS), 0);
    for await (const image of reader) {
      const { originalSize } = image;
      const { device, indicator } = settings;
      const prediction = predictImage(logitsOf(network), image, { originalSize, device, indicator });
      const weight = curve && weightMap(curve, prediction.confidence, device);
      const drawings = draw(image, dataset, prediction, weight, settings.normalise);
      await addMaps(maps, image, dataset, prediction);
      const { name } = image.sample;
      records.push({ kind: "sample", iteration, name, files: await write(folder, name, drawings) });
    }
    return records;
  });
}

/** The planes of a sample; its label is compared where it has the size of the image on disk. */
async function addMaps(
  maps: MapsWriter,
  { sample, label }: EvaluationImage,
  { classes }: Dataset,
  prediction: Prediction,
): Promise<void> {
  const confusion = label && new ConfusionMatrix(classes.length).addMaps(label.data, prediction.label.data);
  await maps.add(sample, { ...prediction, prediction: prediction.label, label, confusion });
}

type Drawings = Readonly<Partial<Record<SampleImage, RgbImage>>>;

function draw(
  image: EvaluationImage,
  { classes }: Dataset,
  { label, confidence }: Prediction,
  weight: FloatMap | null,
  normalise: NormaliseOptions,
): Drawings {
  return {
    image: toRgb(image, normalise),
    ...(image.label && { label: colorize(image.label, classes) }),
    prediction: colorize(label, classes),
    confidence: heatmap(confidence, [-1, 1]),
    ...(weight && { weight: heatmap(weight, [0, 2]) }),
  };
}

/** Leaves room for what is put behind it: names of files have 255 bytes at most. */
const LONGEST_NAME_BYTES = 200;

/** A sample's name as the name of a file; a long one is cut, and told from others by a hash. */
function fileNameOf(name: string): string {
  const flat = name.replaceAll("/", "_");
  if (Buffer.byteLength(flat) <= LONGEST_NAME_BYTES) return flat;
  const start = Buffer.from(flat)
    .subarray(0, LONGEST_NAME_BYTES - 20)
    .toString("utf8")
    .replace(/\ufffd+$/, "");
  return `${start}-${createHash("sha256").update(name).digest("hex").slice(0, 8)}`;
}

/** Writes what was drawn of one image, and returns their paths in the run folder. */
async function write(folder: string, name: string, drawings: Drawings): Promise<SampleRecord["files"]> {
  const files: Partial<Record<SampleImage, string>> = {};
  for (const [kind, drawn] of Object.entries(drawings) as [SampleImage, RgbImage][]) {
    const file = `figures/samples/${fileNameOf(name)}-${kind}.png`;
    writeFileAtomically(join(folder, file), await encodeRgbPng(drawn));
    files[kind] = file;
  }
  return files;
}
