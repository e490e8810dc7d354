import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Device, fromTypedArray, noGrad, type Tensor, tidy } from "@armseg/torch";
import type { Config } from "../config/schema.ts";
import { evenlySpaced } from "../core/evenly-spaced.ts";
import { colorize, encodeRgbPng, type FloatMap, heatmap } from "../data/drawing/index.ts";
import type { Dataset, LabelImage, RgbImage } from "../data/sample.ts";
import { predictWithConfidence } from "../evaluation/index.ts";
import type { Segmenter } from "../networks/index.ts";
import { createEvaluationReader, type EvaluationImage } from "../pipeline/index.ts";
import type { Curve } from "../reweighting/index.ts";
import type { SampleImage, SampleRecord } from "../runs/records.ts";
import { logitsOf } from "./validate.ts";

const ROWS = 4;

/** The picture as it was before normalisation, at the size the network sees. */
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
    const indicator = config.reweighting.indicator === "kl" ? "var" : config.reweighting.indicator;
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
 */
export async function drawSamples(
  folder: string,
  dataset: Dataset,
  parts: { network: Segmenter; curve: Curve | null },
  config: Config,
  iteration: number,
): Promise<SampleRecord[]> {
  const { network, curve } = parts;
  mkdirSync(join(folder, "figures", "samples"), { recursive: true });
  const records: SampleRecord[] = [];
  await using reader = createEvaluationReader({
    // Spread over the split, so that they are not four frames of one street.
    samples: evenlySpaced(dataset.samples, ROWS),
    normalise: config.augmentation,
    base: config.evaluation.base,
    workers: 0,
  });
  network.eval();
  for await (const image of reader) {
    const { prediction, confidence, weight } = predict(network, curve, image, config);
    const pictures: Partial<Record<SampleImage, RgbImage>> = {
      image: toRgb(image, config.augmentation),
      ...(image.label && { label: colorize(image.label, dataset.classes) }),
      prediction: colorize(prediction, dataset.classes),
      confidence: heatmap(confidence, [-1, 1]),
      ...(weight && { weight: heatmap(weight) }),
    };
    const files: Partial<Record<SampleImage, string>> = {};
    for (const [kind, picture] of Object.entries(pictures) as [SampleImage, RgbImage][]) {
      const file = `figures/samples/${image.sample.name.replaceAll("/", "_")}-${kind}.png`;
      writeFileSync(join(folder, file), await encodeRgbPng(picture));
      files[kind] = file;
    }
    records.push({ kind: "sample", iteration, name: image.sample.name, files });
  }
  network.train();
  return records;
}
