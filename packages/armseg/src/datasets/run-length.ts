import type { Canvas } from "./fill-polygon.ts";

/** A column-major run-length mask and where its box lies in the image. */
export interface RunLengths {
  readonly height: number;
  readonly width: number;
  readonly counts: readonly number[] | string;
  readonly top?: number;
  readonly left?: number;
}

/**
 * Paint a run-length mask onto a canvas in place, exactly.
 *
 * @param runs - Column-major runs, background first, that add up to `height * width`.
 * @throws If they do not add up, or a run is not a whole number of pixels.
 */
export function fillRunLengths(canvas: Canvas, runs: RunLengths, value: number): void {
  const { height, width, top = 0, left = 0 } = runs;
  const counts = typeof runs.counts === "string" ? decompressCounts(runs.counts) : runs.counts;
  checkCounts(counts, height * width);
  let at = 0;
  counts.forEach((count, i) => {
    if (i % 2 === 1) fillRun(canvas, at, at + count, height, top, left, value);
    at += count;
  });
}

function checkCounts(counts: readonly number[], pixels: number): void {
  let sum = 0;
  for (const count of counts) {
    if (!Number.isInteger(count) || count < 0)
      throw new Error(`a run of ${count} pixels in a run-length mask`);
    sum += count;
  }
  if (sum !== pixels) throw new Error(`runs of ${sum} pixels in a run-length mask of ${pixels} pixels`);
}

function fillRun(
  { data, height, width }: Canvas,
  from: number,
  to: number,
  boxHeight: number,
  top: number,
  left: number,
  value: number,
): void {
  let row = from % boxHeight;
  let column = (from - row) / boxHeight;
  for (let i = from; i < to; i++) {
    const [y, x] = [top + row, left + column];
    if (y >= 0 && y < height && x >= 0 && x < width) data[y * width + x] = value;
    if (++row === boxHeight) {
      row = 0;
      column++;
    }
  }
}

/**
 * COCO's compressed run lengths as numbers.
 *
 * Characters from `0` on carry five bits each, low first, bit 6 says that more follow; from the third run on they are differences to the run before last
 * (COCO API, `maskApi.c`, `rleFrString`).
 *
 * @throws If the text ends within a number or has other characters.
 */
export function decompressCounts(text: string): number[] {
  const counts: number[] = [];
  for (let at = 0; at < text.length; ) {
    let value = 0;
    let scale = 1;
    for (let more = true; more; scale *= 32) {
      const bits = text.charCodeAt(at++) - 48;
      if (!(bits >= 0 && bits < 64) || scale > 2 ** 40)
        throw new Error(`a compressed run-length mask that is damaged at character ${at}`);
      value += (bits & 31) * scale;
      more = bits >= 32;
      // The sign is the top bit of the last group.
      if (!more && bits & 16) value -= 32 * scale;
    }
    counts.push(counts.length > 2 ? value + counts[counts.length - 2]! : value);
  }
  return counts;
}

/** Row-major bits as column-major run lengths, background first. */
export function runLengthsOf(mask: ArrayLike<number>, height: number, width: number): number[] {
  const counts: number[] = [];
  let run = 0;
  let inside = 0;
  for (let x = 0; x < width; x++)
    for (let y = 0; y < height; y++) {
      const bit = mask[y * width + x] ? 1 : 0;
      if (bit !== inside) {
        counts.push(run);
        run = 0;
        inside = bit;
      }
      run++;
    }
  counts.push(run);
  return counts;
}
