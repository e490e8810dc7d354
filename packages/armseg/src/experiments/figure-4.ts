import { type Device, fromTypedArray, noGrad, tidy } from "@armseg/torch";
import { loadTrained, type Trained } from "../commands/evaluate.ts";
import { encodeRgbPng, heatmap, overlay, type SheetCell, sheet } from "../data/drawing/index.ts";
import { readImage } from "../data/read-image.ts";
import type { Dataset, RgbImage } from "../data/sample.ts";
import { createEvaluationReader } from "../pipeline/index.ts";
import type { DrawnFigure, FigureRun } from "./drawn-figure.ts";
import { type LowVarianceMap, lowVarianceMap } from "./low-variance-map.ts";

const ROWS = 4;

/** What is shown of one image. */
interface Row {
  readonly name: string;
  readonly cells: readonly SheetCell[];
  readonly lowFraction: number;
}

/** Figure 4: image, fine label, confidence and the pixels of low variance, of validation images; a sheet a run. */
export async function drawFigure4(runs: readonly FigureRun[]): Promise<DrawnFigure> {
  const drawn: { readonly run: FigureRun; readonly rows: readonly Row[] }[] = [];
  for (const run of runs) drawn.push({ run, rows: await rowsOf(run.folder) });
  const panels = drawn.map(async ({ run, rows }) => ({
    name: `${run.cell.name}-seed-${run.seed}`,
    title: `${run.cell.method}, ${run.cell.setting}`,
    explanation:
      "Image, label, confidence (dark is low), and the image with the pixels of low variance left bright: u < 0, half of the greatest variance.",
    content: await encodeRgbPng(sheet(rows.map(({ cells }) => cells))),
  }));
  return {
    panels: await Promise.all(panels),
    numbers: drawn.map(({ run, rows }) => ({
      cell: run.cell.name,
      seed: run.seed,
      images: rows.map(({ name, lowFraction }) => ({ name, lowFraction })),
    })),
  };
}

async function rowsOf(folder: string): Promise<Row[]> {
  using trained = await loadTrained({ folder, checkpoint: "last", split: "val" });
  const { config, dataset } = trained;
  await using reader = createEvaluationReader({
    samples: chosen(dataset),
    normalise: config.augmentation,
    base: config.evaluation.base,
    workers: 0,
  });
  const rows: Row[] = [];
  for await (const { image, size, originalSize, label, sample } of reader) {
    const map = mapOf(trained, image, size, originalSize);
    const picture = await readImage(sample.image);
    const [height, width] = originalSize;
    rows.push({
      name: sample.name,
      lowFraction: map.lowFraction,
      cells: [
        { image: picture, caption: sample.name },
        { image: label ? overlay(picture, label, dataset.classes, 0.65) : picture, caption: "label" },
        { image: heatmap({ height, width, data: map.confidence }, [-1, 1]), caption: "confidence" },
        {
          image: lowPixels(picture, map),
          caption: `low variance: ${(100 * map.lowFraction).toFixed(1)} %`,
        },
      ],
    });
  }
  return rows;
}

/** Spread over the split. */
function chosen({ samples }: Dataset): Dataset["samples"] {
  const count = Math.min(ROWS, samples.length);
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

/** The picture, dark where the network is sure. */
function lowPixels({ height, width, data }: RgbImage, { isLow }: LowVarianceMap): RgbImage {
  const shown = data.map((value, i) => (isLow[Math.floor(i / 3)] ? value : value >> 2));
  return { height, width, data: shown };
}
