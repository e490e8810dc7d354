import { type Device, fromTypedArray, noGrad, tidy } from "@armseg/torch";
import { type LowVarianceMap, lowVarianceMap } from "../analysis/index.ts";
import { readImage } from "../datasets/read-image.ts";
import { type ClassInfo, type Dataset, IGNORE_INDEX, type RgbImage } from "../datasets/sample.ts";
import { encodeRgbPng, overlay, type SheetCell, sheet } from "../drawing/index.ts";
import { createEvaluationReader } from "../pipeline/index.ts";
import { loadTrained, type Trained } from "../training/evaluate-run.ts";
import type { DrawnFigure, FigureRun } from "./drawn-figure.ts";

const COLUMNS = 4;
/** Of the pixels of low variance; the class index of overlay(). */
const GREEN: readonly ClassInfo[] = [{ name: "low variance", color: [0, 255, 0] }];
const OPACITY = 0.6;

/** What is shown of one image, from top to bottom. */
interface Column {
  readonly name: string;
  readonly cells: readonly [low: SheetCell, brightness: SheetCell];
  readonly lowFraction: number;
}

/**
 * The paper's Figure 4: validation images side by side; a sheet a run. First row: the picture, its pixels of low variance green. Second
 * row: the variance as brightness.
 */
export async function drawFigure4(runs: readonly FigureRun[]): Promise<DrawnFigure> {
  const drawn: { readonly run: FigureRun; readonly columns: readonly Column[] }[] = [];
  for (const run of runs) drawn.push({ run, columns: await columnsOf(run.folder) });
  const panels = drawn.map(async ({ run, columns }) => ({
    name: `${run.cell.name}-seed-${run.seed}`,
    title: `${run.cell.method}, ${run.cell.setting}`,
    explanation:
      "First row: the image, its pixels of low variance green: u < 0, half of the greatest variance. Second row: the variance as brightness, black none, white the greatest.",
    content: await encodeRgbPng(sheet([0, 1].map((row) => columns.map(({ cells }) => cells[row]!)))),
  }));
  return {
    panels: await Promise.all(panels),
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
    samples: chosen(dataset),
    normalise: config.augmentation,
    base: config.evaluation.base,
    workers: 0,
  });
  const columns: Column[] = [];
  for await (const { image, size, originalSize, sample } of reader) {
    const map = mapOf(trained, image, size, originalSize);
    const low = greenWhereLow(await readImage(sample.image), map);
    columns.push({
      name: sample.name,
      lowFraction: map.lowFraction,
      cells: [
        { image: low, caption: `${sample.name}, low: ${(100 * map.lowFraction).toFixed(1)} %` },
        { image: brightnessOf(map), caption: "variance" },
      ],
    });
  }
  return columns;
}

/** Spread over the split. */
function chosen({ samples }: Dataset): Dataset["samples"] {
  const count = Math.min(COLUMNS, samples.length);
  return Array.from({ length: count }, (_, i) => samples[Math.floor(((i + 0.5) * samples.length) / count)]!);
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

/** The picture, its pixels of low variance mostly green. */
export function greenWhereLow(picture: RgbImage, { isLow }: LowVarianceMap): RgbImage {
  const { height, width } = picture;
  const data = isLow.map((low) => (low ? 0 : IGNORE_INDEX));
  return overlay(picture, { height, width, data }, GREEN, OPACITY);
}

/** The variance in grey: u = −1 black, u = 1 white. */
export function brightnessOf({ size: [height, width], confidence }: LowVarianceMap): RgbImage {
  const data = new Uint8Array(3 * confidence.length);
  for (const [i, u] of confidence.entries()) data.fill(Math.round((255 * (u + 1)) / 2), 3 * i, 3 * i + 3);
  return { height, width, data };
}
