import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Device, fromTypedArray, noGrad, type Tensor, tidy } from "@armseg/torch";
import { buildReader, shownIndicator } from "../config/build-evaluation.ts";
import type { Config } from "../config/schema.ts";
import { evenlySpaced } from "../core/evenly-spaced.ts";
import { colorize, encodeRgbPng, type FloatMap, heatmap } from "../data/drawing/index.ts";
import type { Dataset, LabelImage, RgbImage } from "../data/sample.ts";
import { predictWithConfidence } from "../evaluation/index.ts";
import type { Segmenter } from "../networks/index.ts";
import type { EvaluationImage } from "../pipeline/index.ts";
import type { Curve } from "../reweighting/index.ts";
import type { SampleImage, SampleRecord } from "../runs/records.ts";
import { inEvaluationMode, logitsOf } from "./validate.ts";

const ROWS = 4;

/** The image as it was before normalisation, at the size the network sees. */
function toRgb({ image, size }: EvaluationImage, { mean, std }: Config["augmentation"]): RgbImage {
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

interface Prediction {
  readonly prediction: LabelImage;
  readonly confidence: FloatMap;
  readonly weight: FloatMap | null;
}

function floatMap(values: Tensor, [height, width]: readonly [number, number]): FloatMap {
  return { height, width, data: values.cpu().contiguous().toTypedArray() as Float32Array };
}

function predict(
  network: Segmenter,
  curve: Curve | null,
  image: EvaluationImage,
  config: Config,
): Prediction {
  const { size, originalSize } = image;
  return tidy(() => {
    const images = fromTypedArray(image.image, [1, 3, ...size]).to(
      config.training.device as Device,
      "float32",
    );
    const indicator = shownIndicator(config.reweighting);
    const { labels, confidence } = predictWithConfidence(logitsOf(network), images, originalSize, {
      indicator,
    });
    const [height, width] = originalSize;
    const weight = curve ? noGrad(() => curve.call(confidence)) : null;
    return {
      prediction: { height, width, data: labels.cpu().contiguous().toTypedArray() as Uint8Array },
      confidence: floatMap(confidence, originalSize),
      weight: weight && floatMap(weight, originalSize),
    };
  });
}

/**
 * Draws image, label, prediction, confidence and weight of a few images of a split into a run's figures.
 *
 * @param folder - The run folder; files go to `figures/samples`.
 * @returns One record per image, for the log. The network is in its mode of before afterwards.
 */
export function drawSamples(
  folder: string,
  dataset: Dataset,
  { network, curve }: { readonly network: Segmenter; readonly curve: Curve | null },
  config: Config,
  iteration: number,
): Promise<SampleRecord[]> {
  mkdirSync(join(folder, "figures", "samples"), { recursive: true });
  return inEvaluationMode(network, async () => {
    const records: SampleRecord[] = [];
    // Spread over the split, so that they are not four frames of one street.
    await using reader = buildReader(config, evenlySpaced(dataset.samples, ROWS), 0);
    for await (const image of reader) {
      const pictures = draw(image, dataset, predict(network, curve, image, config), config);
      const { name } = image.sample;
      records.push({ kind: "sample", iteration, name, files: await write(folder, name, pictures) });
    }
    return records;
  });
}

type Pictures = Readonly<Partial<Record<SampleImage, RgbImage>>>;

function draw(
  image: EvaluationImage,
  { classes }: Dataset,
  { prediction, confidence, weight }: Prediction,
  config: Config,
): Pictures {
  return {
    image: toRgb(image, config.augmentation),
    ...(image.label && { label: colorize(image.label, classes) }),
    prediction: colorize(prediction, classes),
    confidence: heatmap(confidence, [-1, 1]),
    ...(weight && { weight: heatmap(weight) }),
  };
}

/** Writes the pictures of one image, and returns their paths in the run folder. */
async function write(folder: string, name: string, pictures: Pictures): Promise<SampleRecord["files"]> {
  const files: Partial<Record<SampleImage, string>> = {};
  for (const [kind, picture] of Object.entries(pictures) as [SampleImage, RgbImage][]) {
    const file = `figures/samples/${name.replaceAll("/", "_")}-${kind}.png`;
    writeFileSync(join(folder, file), await encodeRgbPng(picture));
    files[kind] = file;
  }
  return files;
}
