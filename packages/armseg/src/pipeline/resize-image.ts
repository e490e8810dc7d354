import type { RgbImage } from "../data/sample.ts";
import { type LinearTable, linearTable } from "./resize-tables.ts";
import { assertInside, type Size, type Window } from "./window.ts";

/** Some of an image's pixels, and where in it they lie. */
export interface ImagePart {
  readonly pixels: RgbImage;
  /** `[height, width]` of the whole image. */
  readonly imageSize: Size;
  /** Position of the first pixel in the whole image. */
  readonly top: number;
  readonly left: number;
}

/** Returns all of an image as a part. */
export function wholePart(image: RgbImage): ImagePart {
  return { pixels: image, imageSize: [image.height, image.width], top: 0, left: 0 };
}

/**
 * Returns a window of the resized image, without making the rest of it.
 *
 * Bit for bit what OpenCV gives for `cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)[window]` (mmcv's bilinear `imresize`): half-pixel
 * centres, 11-bit weights, no antialiasing when shrinking, and the mean of 2x2 pixels when both sides are exactly halved.
 *
 * @param part - At least {@link sourceWindow} of the image, `[height, width, 3]`, 8-bit.
 * @param size - `[height, width]` of the whole resized image.
 * @param window - In pixels of the resized image.
 * @param options.flip - Whether to mirror the window left to right.
 * @returns `[window.height, window.width, 3]`, 8-bit.
 * @throws If the window leaves the resized image.
 */
export function resizeImageWindow(
  part: ImagePart,
  size: Size,
  window: Window,
  options: { flip?: boolean } = {},
): RgbImage {
  const { height, width } = window;
  const data = new Uint8Array(height * width * 3);
  resizeRows(part, size, window, options.flip ?? false, (pixels, y, x) =>
    data.set(pixels, 3 * (y * width + x)),
  );
  return { height, width, data };
}

/**
 * Makes a window of the resized image as {@link resizeImageWindow} does, a row of a strip at a time: what is done to it next finds it in
 * the cache.
 *
 * @param each - Gets some pixels of a row, `[count, 3]`, in memory that the next ones overwrite, and where in the window they begin. It must
 *   not resize anything itself.
 * @throws If the window leaves the resized image.
 */
export function resizeRows(
  part: ImagePart,
  size: Size,
  window: Window,
  flip: boolean,
  each: (pixels: Uint8Array, y: number, x: number) => void,
): void {
  assertInside("resizeImageWindow", window, size);
  for (let from = 0; from < window.width; from += STRIP) {
    const width = Math.min(STRIP, window.width - from);
    const write = rowsOf(part, size, { ...window, left: window.left + from, width }, flip);
    const row = new Uint8Array(3 * width);
    for (let y = 0; y < window.height; y++) {
      write(y, row);
      each(row, y, flip ? window.width - from - width : from);
    }
  }
}

/** Columns that are made at a time: rows of so many fit into a processor's first cache. */
const STRIP = 1024;

/** Returns what makes the rows of a strip. */
function rowsOf(part: ImagePart, size: Size, strip: Window, flip: boolean): WriteRow {
  const rule = ruleFor(part.imageSize, size);
  if (rule === "copy") return copiedRows(part, strip, flip);
  return rule === "halve" ? halvedRows(part, strip, flip) : interpolatedRows(part, size, strip, flip);
}

/** Writes a row of a strip. */
type WriteRow = (y: number, out: Uint8Array) => void;

/**
 * Returns the window of an image that a window of it, resized, is made of.
 *
 * @param imageSize - `[height, width]` of the image.
 * @param size - `[height, width]` of the whole resized image.
 * @param window - In pixels of the resized image.
 */
export function sourceWindow(imageSize: Size, size: Size, window: Window): Window {
  assertInside("sourceWindow", window, size);
  const rule = ruleFor(imageSize, size);
  if (rule === "copy") return window;
  const { top, left, height, width } = window;
  if (rule === "halve") return { top: 2 * top, left: 2 * left, height: 2 * height, width: 2 * width };
  const [firstRow, lastRow] = sourceRange(size[0], imageSize[0], top, height);
  const [firstColumn, lastColumn] = sourceRange(size[1], imageSize[1], left, width);
  return {
    top: firstRow,
    left: firstColumn,
    height: lastRow - firstRow + 1,
    width: lastColumn - firstColumn + 1,
  };
}

/** Returns the first and last position read, and one more before them: the last column of all is read with its neighbour. */
function sourceRange(target: number, source: number, from: number, count: number): readonly [number, number] {
  const { lower } = linearTable(target, source, from, 1, "repeated");
  const { upper } = linearTable(target, source, from + count - 1, 1, "repeated");
  return [Math.max(0, lower[0]! - 1), upper[0]!];
}

/** Chooses as OpenCV does: it copies at equal size, and turns INTER_LINEAR into INTER_AREA when both sides are exactly halved. */
function ruleFor(imageSize: Size, size: Size): "copy" | "halve" | "interpolate" {
  if (size[0] === imageSize[0] && size[1] === imageSize[1]) return "copy";
  return 2 * size[0] === imageSize[0] && 2 * size[1] === imageSize[1] ? "halve" : "interpolate";
}

function copiedRows({ pixels, top, left }: ImagePart, window: Window, flip: boolean): WriteRow {
  return (y, out) => {
    const from = ((window.top - top + y) * pixels.width + window.left - left) * 3;
    if (flip) copyFlipped(pixels.data, from, out, window.width);
    else out.set(pixels.data.subarray(from, from + out.length));
  };
}

function copyFlipped(data: Uint8Array, from: number, out: Uint8Array, width: number): void {
  for (let x = 0, o = (width - 1) * 3, i = from; x < width; x++, i += 3, o -= 3) {
    out[o] = data[i]!;
    out[o + 1] = data[i + 1]!;
    out[o + 2] = data[i + 2]!;
  }
}

function halvedRows({ pixels, top, left }: ImagePart, window: Window, flip: boolean): WriteRow {
  const { data, width } = pixels;
  return (y, out) => {
    const from = ((2 * (window.top + y) - top) * width + 2 * window.left - left) * 3;
    halveRow(data, from, width * 3, flip, out);
  };
}

/** @param below - Bytes from a pixel to the one below it. */
function halveRow(data: Uint8Array, from: number, below: number, flip: boolean, out: Uint8Array): void {
  for (let i = from, x = 0; x < out.length; x += 3, i += 6) {
    const o = flip ? out.length - 3 - x : x;
    for (let c = i; c < i + 3; c++)
      out[o + c - i] = (data[c]! + data[c + 3]! + data[c + below]! + data[c + below + 3]! + 2) >> 2;
  }
}

/**
 * What interpolating a strip takes, made once and never replaced: V8 then has address and length in the code of the loops below, which makes
 * them a third faster than arrays that are handed over.
 */
const tapOffsets = new Int32Array(STRIP);
const leftWeights = new Int32Array(STRIP);
const rightWeights = new Int32Array(STRIP);
/** Two source rows at the strip's columns. Neighbours differ in parity, so two hold all that a row needs, and each is made once. */
const sourceRows = new Int32Array(2 * 3 * STRIP);

function interpolatedRows(part: ImagePart, size: Size, strip: Window, flip: boolean): WriteRow {
  const { pixels, imageSize } = part;
  const rows = linearTable(size[0], imageSize[0], strip.top, strip.height, "repeated");
  setTaps(linearTable(size[1], imageSize[1], strip.left, strip.width, "clamped"), part.left, flip);
  const held = [-1, -1];
  /** Returns where in {@link sourceRows} a row of the image is. */
  const sourceRow = (y: number): number => {
    const slot = y & 1;
    const start = (y - part.top) * pixels.width * 3;
    if (held[slot] !== y) interpolateRow(pixels.data, start, strip.width, slot * 3 * STRIP);
    held[slot] = y;
    return slot * 3 * STRIP;
  };
  return (y, out) => {
    const upper = sourceRow(rows.lower[y]!);
    const lower = sourceRow(rows.upper[y]!);
    blendRows(upper, lower, rows.lowerWeight[y]!, rows.upperWeight[y]!, out);
  };
}

/**
 * Sets the byte offset of each column's left tap within a row of the part, the right one being the next pixel, and their weights.
 *
 * At the right border both taps are the last pixel: the same as the last two with all weight on the right. (An image of one column has no
 * two; its right taps weigh nothing.)
 */
function setTaps({ lower, upper, lowerWeight, upperWeight }: LinearTable, left: number, flip: boolean): void {
  const count = lower.length;
  for (let x = 0; x < count; x++) {
    const to = flip ? count - 1 - x : x;
    const isBorder = lower[x] === upper[x] && lower[x]! > 0;
    tapOffsets[to] = 3 * (lower[x]! - left - (isBorder ? 1 : 0));
    leftWeights[to] = isBorder ? 0 : lowerWeight[x]!;
    rightWeights[to] = isBorder ? lowerWeight[x]! + upperWeight[x]! : upperWeight[x]!;
  }
}

/** Interpolates one source row at the strip's columns, in units of 1/128 (OpenCV drops four of its eleven fraction bits here). */
function interpolateRow(data: Uint8Array, start: number, count: number, to: number): void {
  for (let x = 0, o = to; x < count; x++, o += 3) {
    const i = start + tapOffsets[x]!;
    const a = leftWeights[x]!;
    const b = rightWeights[x]!;
    sourceRows[o] = (Math.imul(data[i]!, a) + Math.imul(data[i + 3]!, b)) >> 4;
    sourceRows[o + 1] = (Math.imul(data[i + 1]!, a) + Math.imul(data[i + 4]!, b)) >> 4;
    sourceRows[o + 2] = (Math.imul(data[i + 2]!, a) + Math.imul(data[i + 5]!, b)) >> 4;
  }
}

function blendRows(
  upper: number,
  lower: number,
  upperWeight: number,
  lowerWeight: number,
  out: Uint8Array,
): void {
  const count = out.length;
  for (let i = 0; i < count; i++)
    out[i] =
      ((Math.imul(sourceRows[upper + i]!, upperWeight) >> 16) +
        (Math.imul(sourceRows[lower + i]!, lowerWeight) >> 16) +
        2) >>
      2;
}
