import { IGNORE_INDEX } from "../core/ignore-index.ts";
import type { ClassInfo, LabelImage } from "../data/sample.ts";
import { distanceToOther } from "./border-distance.ts";
import type { CoarsePolygon } from "./rasterise.ts";

/** Lower ends of the bands of distance, in pixels of a frame 2048 wide. */
export const BAND_STARTS = [0, 2, 6, 10, 18, 34, 66, 130] as const;

/** A frame's labels before and after; polygons where they are known. */
export interface CoarsePair {
  readonly fine: LabelImage;
  readonly coarse: LabelImage;
  readonly polygons?: readonly CoarsePolygon[];
}

/** How coarse labels relate to fine ones. Shares are in [0, 1]; NaN where there is nothing to count. */
export interface CoarsenStatistics {
  readonly frames: number;
  /** Covered share of the pixels that are valid in the fine labels. */
  readonly coverage: number;
  /** Of the covered valid pixels, the share with the right class. */
  readonly correctness: number;
  /** By {@link BAND_STARTS}: share of the valid pixels in the band, and the covered share of them. */
  readonly bands: readonly { readonly share: number; readonly coverage: number }[];
  readonly classes: readonly {
    readonly name: string;
    readonly share: number;
    readonly coverage: number;
    readonly correctness: number;
  }[];
  readonly polygonsPerFrame: number;
  readonly verticesPerPolygon: number;
  /** Share of the polygons that were made wrong; NaN where none is known. */
  readonly wrongPolygons: number;
}

/**
 * Compares coarse labels with the fine ones they stand for.
 *
 * The distance of a pixel is the exact Euclidean one from its centre to the nearest centre of a pixel with another
 * fine label (ignored pixels included, and with whatever lies beyond the frame), less half a pixel, times 2048 /
 * width. Cityscapes' frames are enclosed in ignored pixels, so this is what the measured targets mean there.
 *
 * @param pairs - Any number of frames; taken one at a time, so a generator keeps memory flat.
 * @returns Medians for polygons per frame and corners per polygon, shares of all pixels together for the rest.
 */
export function coarsenStatistics(
  pairs: Iterable<CoarsePair>,
  classes: readonly ClassInfo[],
): CoarsenStatistics {
  const accumulator = new StatisticsAccumulator(classes.length);
  for (const pair of pairs) {
    accumulator.add(pair);
  }
  return accumulator.result(classes);
}

/** Sums over frames, for callers that meet them one by one. */
export class StatisticsAccumulator {
  #frames = 0;
  readonly #bandPixels = new Float64Array(BAND_STARTS.length);
  readonly #bandCovered = new Float64Array(BAND_STARTS.length);
  readonly #pixels: Float64Array;
  readonly #covered: Float64Array;
  readonly #correct: Float64Array;
  readonly #polygonCounts: number[] = [];
  readonly #vertexCounts: number[] = [];
  #wrongPolygons = 0;

  constructor(classCount: number) {
    this.#pixels = new Float64Array(classCount);
    this.#covered = new Float64Array(classCount);
    this.#correct = new Float64Array(classCount);
  }

  /** @throws {RangeError} If the sizes differ. */
  add({ fine, coarse, polygons }: CoarsePair): void {
    if (fine.height !== coarse.height || fine.width !== coarse.width) {
      throw new RangeError(
        `coarsenStatistics(): expected labels of one size, got ${fine.height}×${fine.width} fine and ` +
          `${coarse.height}×${coarse.width} coarse.`,
      );
    }
    this.#frames++;
    const distance = distanceToOther(fine, true);
    fine.data.forEach((value, i) => {
      if (value >= this.#pixels.length) {
        return;
      }
      const band = bandOf(((distance[i]! - 0.5) * 2048) / fine.width);
      const drawn = coarse.data[i]!;
      const covered = drawn === IGNORE_INDEX ? 0 : 1;
      this.#bandPixels[band]!++;
      this.#bandCovered[band]! += covered;
      this.#pixels[value]!++;
      this.#covered[value]! += covered;
      this.#correct[value]! += drawn === value ? 1 : 0;
    });
    if (polygons !== undefined) {
      this.#polygonCounts.push(polygons.length);
      this.#vertexCounts.push(...polygons.map(({ vertices }) => vertices.length));
      this.#wrongPolygons += polygons.filter(({ mistake }) => mistake).length;
    }
  }

  result(classes: readonly ClassInfo[]): CoarsenStatistics {
    const pixels = sum(this.#pixels);
    const covered = sum(this.#covered);
    return {
      frames: this.#frames,
      coverage: covered / pixels,
      correctness: sum(this.#correct) / covered,
      bands: BAND_STARTS.map((_, band) => ({
        share: this.#bandPixels[band]! / pixels,
        coverage: this.#bandCovered[band]! / this.#bandPixels[band]!,
      })),
      classes: classes.map(({ name }, i) => ({
        name,
        share: this.#pixels[i]! / pixels,
        coverage: this.#covered[i]! / this.#pixels[i]!,
        correctness: this.#correct[i]! / this.#covered[i]!,
      })),
      polygonsPerFrame: median(this.#polygonCounts),
      verticesPerPolygon: median(this.#vertexCounts),
      wrongPolygons: this.#wrongPolygons / this.#vertexCounts.length,
    };
  }
}

function bandOf(distance: number): number {
  let band = BAND_STARTS.length - 1;
  while (distance < BAND_STARTS[band]!) {
    band--;
  }
  return band;
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
