import { type Device, fromTypedArray, noGrad, tidy } from "@armseg/torch";
import { loadTrained, type Trained } from "../commands/evaluate.ts";
import { evenlySpaced } from "../core/evenly-spaced.ts";
import { encodeRgbPng, heatmap, overlay } from "../data/drawing/index.ts";
import { readImage } from "../data/read-image.ts";
import type { RgbImage } from "../data/sample.ts";
import { createEvaluationReader } from "../pipeline/index.ts";
import type { DrawnFigure, FigureRun, PanelImage } from "./drawn-figure.ts";
import { type LowVarianceMap, lowVarianceMap } from "./low-variance-map.ts";

const ROWS = 4;

/** What is shown of one image. */
interface Row {
  readonly name: string;
  readonly images: readonly PanelImage[];
  readonly lowFraction: number;
}

/** Figure 4: image, fine label, confidence and the pixels of low variance, of validation images; a panel per run. */
export async function drawFigure4(runs: readonly FigureRun[]): Promise<DrawnFigure> {
  const drawn: { readonly run: FigureRun; readonly rows: readonly Row[] }[] = [];
  for (const run of runs) drawn.push({ run, rows: await rowsOf(run.folder) });
  const panels = drawn.map(({ run, rows }) => ({
    name: `${run.cell.name}-seed-${run.seed}`,
    title: `${run.cell.method}, ${run.cell.setting}`,
    explanation:
      "Image, label, confidence (dark is low), and the image with the pixels of low variance left bright: u < 0, half of the greatest variance.",
    content: rows.map(({ images }) => images),
  }));
  return {
    panels,
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
    samples: evenlySpaced(dataset.samples, ROWS),
    normalise: config.augmentation,
    base: config.evaluation.base,
    workers: 0,
  });
  const rows: Row[] = [];
  for await (const { image, size, originalSize, label, sample } of reader) {
    const map = mapOf(trained, image, size, originalSize);
    const { name } = sample;
    const original = await readImage(sample.image);
    const [height, width] = originalSize;
    const labelled = label ? overlay(original, label, dataset.classes, 0.65) : original;
    const confidence = heatmap({ height, width, data: map.confidence }, [-1, 1]);
    const low = `low variance: ${(100 * map.lowFraction).toFixed(1)} %`;
    rows.push({
      name,
      lowFraction: map.lowFraction,
      images: [
        { name: `${name}-image`, caption: name, png: await encodeRgbPng(original) },
        { name: `${name}-label`, caption: "label", png: await encodeRgbPng(labelled) },
        { name: `${name}-confidence`, caption: "confidence", png: await encodeRgbPng(confidence) },
        { name: `${name}-low-variance`, caption: low, png: await encodeRgbPng(lowPixels(original, map)) },
      ],
    });
  }
  return rows;
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

/** Returns the image, dark where the network is sure. */
function lowPixels({ height, width, data }: RgbImage, { isLow }: LowVarianceMap): RgbImage {
  const shown = data.map((value, i) => (isLow[Math.floor(i / 3)] ? value : value >> 2));
  return { height, width, data: shown };
}
