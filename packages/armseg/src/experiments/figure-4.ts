import { type Device, fromTypedArray, noGrad, tidy } from "@armseg/torch";
import { loadTrained, type Trained } from "../commands/evaluate.ts";
import { evenlySpaced } from "../core/evenly-spaced.ts";
import { IGNORE_INDEX } from "../core/ignore-index.ts";
import { encodeRgbPng, overlay } from "../data/drawing/index.ts";
import { readImage } from "../data/read-image.ts";
import type { ClassInfo, RgbImage } from "../data/sample.ts";
import { createEvaluationReader } from "../pipeline/index.ts";
import type { DrawnFigure, FigureRun, PanelImage } from "./drawn-figure.ts";
import { type LowVarianceMap, lowVarianceMap } from "./low-variance-map.ts";

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
export async function drawFigure4(runs: readonly FigureRun[]): Promise<DrawnFigure> {
  const drawn: { readonly run: FigureRun; readonly columns: readonly Column[] }[] = [];
  for (const run of runs) drawn.push({ run, columns: await columnsOf(run.folder) });
  const panels = drawn.map(({ run, columns }) => ({
    name: `${run.cell.name}-seed-${run.seed}`,
    title: `${run.cell.method}, ${run.cell.setting}`,
    explanation:
      "First row: the image, its pixels of low variance green: u < 0, half of the greatest variance. Second row: the variance as brightness, black none, white the greatest.",
    content: [0, 1].map((row) => columns.map(({ images }) => images[row]!)),
  }));
  return {
    panels,
    numbers: drawn.map(({ run, columns }) => ({
      cell: run.cell.name,
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
