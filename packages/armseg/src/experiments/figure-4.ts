import { type Device, fromTypedArray, noGrad, type Tensor, tidy } from "@armseg/torch";
import { loadTrained, type Trained } from "../commands/evaluate.ts";
import { argumentError } from "../core/argument-error.ts";
import { evenlySpaced } from "../core/evenly-spaced.ts";
import { IGNORE_INDEX } from "../core/ignore-index.ts";
import { encodeRgbPng, overlay } from "../data/drawing/index.ts";
import { readImage } from "../data/read-image.ts";
import type { ClassInfo, RgbImage } from "../data/sample.ts";
import { confidenceOfLogits } from "../evaluation/upsampled.ts";
import { createEvaluationReader } from "../pipeline/index.ts";
import type { Indicator } from "../reweighting/indicators.ts";
import type { Figure, FigureRun, PanelImage } from "./figure.ts";

const COLUMNS = 4;
/** Of the pixels of low variance; the class index of overlay(). */
const GREEN: readonly ClassInfo[] = [{ name: "low variance", color: [0, 255, 0] }];
const OPACITY = 0.6;

/** What is shown of one image, from top to bottom. */
interface Column {
  readonly name: string;
  readonly images: readonly [low: PanelImage, brightness: PanelImage];
  readonly lowFraction: number;
}

/**
 * Draws the paper's Figure 4: validation images side by side; a panel per run. First row: the image, its pixels of low variance green. Second
 * row: the variance as brightness.
 */
export async function drawFigure4(runs: readonly FigureRun[]): Promise<Figure> {
  const drawn: { readonly run: FigureRun; readonly columns: readonly Column[] }[] = [];
  for (const run of runs) drawn.push({ run, columns: await columnsOf(run.folder) });
  const panels = drawn.map(({ run, columns }) => ({
    name: `${run.entry.name}-seed-${run.seed}`,
    title: `${run.entry.method}, ${run.entry.setting}`,
    explanation:
      "First row: the image, its pixels of low variance green: u < 0, half of the greatest variance. Second row: the variance as brightness, black none, white the greatest.",
    content: [0, 1].map((row) => columns.map(({ images }) => images[row]!)),
  }));
  return {
    panels,
    numbers: drawn.map(({ run, columns }) => ({
      cell: run.entry.name,
      seed: run.seed,
      images: columns.map(({ name, lowFraction }) => ({ name, lowFraction })),
    })),
  };
}

async function columnsOf(folder: string): Promise<Column[]> {
  using trained = await loadTrained({ folder, checkpoint: "last", split: "val" });
  const { config, dataset } = trained;
  await using reader = createEvaluationReader({
    samples: evenlySpaced(dataset.samples, COLUMNS),
    normalise: config.augmentation,
    base: config.evaluation.base,
    workers: 0,
  });
  const columns: Column[] = [];
  for await (const { image, size, originalSize, sample } of reader) {
    const map = mapOf(trained, image, size, originalSize);
    const { name } = sample;
    const low = greenWhereLow(await readImage(sample.image, { range: sample.imageRange }), map);
    const caption = `${name}, low: ${(100 * map.lowFraction).toFixed(1)} %`;
    columns.push({
      name,
      lowFraction: map.lowFraction,
      images: [
        { name: `${name}-low-variance`, caption, png: await encodeRgbPng(low) },
        { name: `${name}-variance`, caption: "variance", png: await encodeRgbPng(brightnessOf(map)) },
      ],
    });
  }
  return columns;
}

function mapOf(
  { network, config }: Trained,
  image: Float32Array,
  size: readonly [number, number],
  originalSize: readonly [number, number],
): LowVarianceMap {
  return tidy(() =>
    noGrad(() => {
      const images = fromTypedArray(image, [1, 3, ...size]).to(config.training.device as Device, "float32");
      return lowVarianceMap(network.call(images).logits.to("float32").cpu(), originalSize);
    }),
  );
}

/** Returns the image, its pixels of low variance mostly green. */
export function greenWhereLow(image: RgbImage, { isLow }: LowVarianceMap): RgbImage {
  const { height, width } = image;
  const data = isLow.map((low) => (low ? 0 : IGNORE_INDEX));
  return overlay(image, { height, width, data }, GREEN, OPACITY);
}

/** Returns the variance in grey: u = −1 black, u = 1 white. */
export function brightnessOf({ size: [height, width], confidence }: LowVarianceMap): RgbImage {
  const data = new Uint8Array(3 * confidence.length);
  for (const [i, u] of confidence.entries()) data.fill(Math.round((255 * (u + 1)) / 2), 3 * i, 3 * i + 3);
  return { height, width, data };
}

/** Where a network is unsure of an image (the paper's Figure 4). */
export interface LowVarianceMap {
  /** `[height, width]`. */
  readonly size: readonly [number, number];
  /** u of each pixel in [−1, 1], row by row. */
  readonly confidence: Float32Array;
  /** 1 where u is below the threshold. */
  readonly isLow: Uint8Array;
  /** Fraction of the pixels that are low. */
  readonly lowFraction: number;
}

export interface LowVarianceOptions {
  /** Default var. */
  readonly indicator?: Indicator;
  /** u below which a pixel is low. Default 0, half of the greatest variance. */
  readonly threshold?: number;
  /** `[1, 1, h, w]`, for indicator kl. */
  readonly logScale?: Tensor | null;
}

/**
 * Returns the map of low variance of one image.
 *
 * @param logits - `[1, C, h, w]`, in the network's resolution.
 * @param size - `[height, width]` of the map.
 * @throws {RangeError} If there is more than one image.
 */
export function lowVarianceMap(
  logits: Tensor,
  size: readonly [number, number],
  options: LowVarianceOptions = {},
): LowVarianceMap {
  if (logits.ndim !== 4 || logits.size(0) !== 1) {
    throw argumentError("lowVarianceMap", "logits [1, C, h, w]", logits.shape);
  }
  const { indicator = "var", threshold = 0, logScale = null } = options;
  const u = noGrad(() =>
    confidenceOfLogits(logits, size, { indicator, logScale }).to("float32").toTypedArray(),
  ) as Float32Array;
  const isLow = Uint8Array.from(u, (value) => (value < threshold ? 1 : 0));
  return { size, confidence: u, isLow, lowFraction: isLow.reduce((sum, low) => sum + low, 0) / isLow.length };
}
