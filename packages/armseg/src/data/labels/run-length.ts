import type { Region } from "../sample.ts";
import type { Canvas } from "./fill-polygon.ts";
import { MAX_PIXELS } from "./png.ts";

/** A run-length mask and where its box lies in the image. */
export type RunLengths = Extract<Region["shape"], { kind: "rle" }>;

/**
 * Paint a run-length mask onto a canvas in place, exactly.
 *
 * @param runs - Runs, background first, that add up to `height * width`.
 * @throws If they do not add up, or a run is not a whole number of pixels.
 */
export function fillRunLengths(canvas: Canvas, runs: RunLengths, value: number): void {
  const { height, width } = runs;
  if (!(height * width <= MAX_PIXELS))
    throw new Error(`a run-length mask of ${height}x${width} pixels: too large`);
  if (runs.top === undefined && runs.left === undefined) checkSize(canvas, runs);
  const counts = typeof runs.counts === "string" ? decompressCounts(runs.counts) : runs.counts;
  checkCounts(counts, height * width);
  let at = 0;
  counts.forEach((count, i) => {
    if (i % 2 === 1) fillRun(canvas, runs, at, at + count, value);
    at += count;
  });
}

/** A mask without a place is one of the whole image. */
function checkSize(canvas: Canvas, { height, width }: RunLengths): void {
  if (height === canvas.height && width === canvas.width) return;
  const turned = height === canvas.width && width === canvas.height ? " (transposed)" : "";
  throw new Error(
    `expected a run-length mask of ${canvas.height}x${canvas.width} pixels (height x width) as its image, got ${height}x${width}${turned}; export it at the image's size`,
  );
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

/** Fills a run line by line, as far as it lies on the canvas: a mask may be much larger than that. */
function fillRun(canvas: Canvas, runs: RunLengths, from: number, to: number, value: number): void {
  const { data, height, width } = canvas;
  const { top = 0, left = 0, isRowMajor = false } = runs;
  const [length, offset, size] = isRowMajor ? [runs.width, left, width] : [runs.height, top, height];
  const [lineOffset, lines, stride] = isRowMajor ? [top, height, 1] : [left, width, width];
  const lineStride = isRowMajor ? width : 1;
  const first = Math.max(Math.floor(from / length), -lineOffset);
  const last = Math.min(Math.floor((to - 1) / length), lines - 1 - lineOffset);
  for (let line = first; line <= last; line++) {
    const start = Math.max(from - line * length, 0, -offset);
    const end = Math.min(to - line * length, length, size - offset);
    let at = (line + lineOffset) * lineStride + (start + offset) * stride;
    for (let i = start; i < end; i++, at += stride) data[at] = value;
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

/** Run lengths of a mask in its own order, background first. */
export function runLengthsOf(mask: ArrayLike<number>): number[] {
  const counts: number[] = [];
  let run = 0;
  let isInside = false;
  for (let i = 0; i < mask.length; i++) {
    if ((mask[i] !== 0) !== isInside) {
      counts.push(run);
      run = 0;
      isInside = !isInside;
    }
    run++;
  }
  counts.push(run);
  return counts;
}
