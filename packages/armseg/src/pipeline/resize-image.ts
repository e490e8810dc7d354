import type { RgbImage } from "../datasets/sample.ts";
import { type LinearTable, linearTable } from "./resize-tables.ts";
import { assertInside, type Size, type Window } from "./window.ts";

/**
 * A window of the resized image, without making the rest of it.
 *
 * Bit for bit what OpenCV gives for `cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)[window]` (mmcv's bilinear `imresize`): half-pixel
 * centres, 11-bit weights, no antialiasing when shrinking, and the mean of 2x2 pixels when both sides are exactly halved.
 *
 * @param image - `[height, width, 3]`, 8-bit.
 * @param size - `[height, width]` of the whole resized image.
 * @param window - In pixels of the resized image.
 * @param options.flip - Mirror the window left to right.
 * @returns `[window.height, window.width, 3]`, 8-bit.
 * @throws If the window leaves the resized image.
 */
export function resizeImageWindow(
  image: RgbImage,
  size: Size,
  window: Window,
  options: { flip?: boolean } = {},
): RgbImage {
  assertInside("resizeImageWindow()", window, size);
  const flip = options.flip ?? false;
  const { height, width } = window;
  const out = { height, width, data: new Uint8Array(height * width * 3) };
  if (size[0] === image.height && size[1] === image.width) copyWindow(image, window, flip, out.data);
  else if (2 * size[0] === image.height && 2 * size[1] === image.width)
    halveWindow(image, window, flip, out.data);
  else interpolateWindow(image, size, window, flip, out.data);
  return out;
}

function copyWindow(image: RgbImage, window: Window, flip: boolean, out: Uint8Array): void {
  const { top, left, height, width } = window;
  const rowBytes = width * 3;
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * image.width + left) * 3;
    if (flip) copyRowFlipped(image.data, from, out, y * rowBytes, width);
    else out.set(image.data.subarray(from, from + rowBytes), y * rowBytes);
  }
}

function copyRowFlipped(data: Uint8Array, from: number, out: Uint8Array, to: number, width: number): void {
  for (let x = 0, o = to + (width - 1) * 3, i = from; x < width; x++, i += 3, o -= 3) {
    out[o] = data[i]!;
    out[o + 1] = data[i + 1]!;
    out[o + 2] = data[i + 2]!;
  }
}

/** OpenCV turns INTER_LINEAR into INTER_AREA when both sides are exactly halved. */
function halveWindow(image: RgbImage, window: Window, flip: boolean, out: Uint8Array): void {
  const { data, width: sourceWidth } = image;
  const below = sourceWidth * 3;
  for (let y = 0; y < window.height; y++) {
    let i = (2 * (window.top + y) * sourceWidth + 2 * window.left) * 3;
    for (let x = 0; x < window.width; x++, i += 6) {
      const o = (y * window.width + (flip ? window.width - 1 - x : x)) * 3;
      for (let c = 0; c < 3; c++) {
        const k = i + c;
        const sum = data[k]! + data[k + 3]! + data[k + below]! + data[k + below + 3]!;
        out[o + c] = (sum + 2) >> 2;
      }
    }
  }
}

function interpolateWindow(
  image: RgbImage,
  size: Size,
  window: Window,
  flip: boolean,
  out: Uint8Array,
): void {
  const columns = byteTaps(
    linearTable(size[1], image.width, window.left, window.width, "clamped"),
    image.width,
  );
  const rows = linearTable(size[0], image.height, window.top, window.height, "repeated");
  if (flip) for (const side of Object.values(columns) as Int32Array[]) side.reverse();
  const rowLength = window.width * 3;
  // Neighbouring source rows differ in parity, so two buffers hold all that an output row needs, and rows are made once.
  const buffers = [new Int32Array(rowLength), new Int32Array(rowLength)] as const;
  const held = [-1, -1];
  const step = image.width > 1 ? 3 : 0;
  const sourceRow = (y: number): Int32Array => {
    const slot = (y & 1) as 0 | 1;
    if (held[slot] !== y) interpolateRow(image.data, y * image.width * 3, step, columns, buffers[slot]);
    held[slot] = y;
    return buffers[slot];
  };
  for (let y = 0; y < window.height; y++) {
    const upper = sourceRow(rows.lower[y]!);
    const lower = sourceRow(rows.upper[y]!);
    blendRows(upper, lower, rows.lowerWeight[y]!, rows.upperWeight[y]!, out, y * rowLength);
  }
}

/** Byte offset of each column's left tap, the right one being the next pixel; and their weights. */
interface ByteTaps {
  readonly offset: Int32Array;
  readonly leftWeight: Int32Array;
  readonly rightWeight: Int32Array;
}

/** At the right border both taps are the last pixel: the same as the last two with all weight on the right. */
function byteTaps({ lower, upper, lowerWeight, upperWeight }: LinearTable, sourceWidth: number): ByteTaps {
  const offset = lower.map((column) => 3 * column);
  const [leftWeight, rightWeight] = [lowerWeight, upperWeight];
  for (let x = 0; x < offset.length; x++) {
    if (lower[x] !== upper[x] || sourceWidth === 1) continue;
    offset[x] = 3 * (lower[x]! - 1);
    rightWeight[x] = leftWeight[x]! + rightWeight[x]!;
    leftWeight[x] = 0;
  }
  return { offset, leftWeight, rightWeight };
}

/** One source row at the window's columns, in units of 1/128 (OpenCV drops four of its eleven fraction bits here). */
function interpolateRow(
  data: Uint8Array,
  start: number,
  step: number,
  { offset, leftWeight, rightWeight }: ByteTaps,
  out: Int32Array,
): void {
  const count = offset.length;
  for (let x = 0, o = 0; x < count; x++, o += 3) {
    const i = start + offset[x]!;
    const j = i + step;
    const a = leftWeight[x]!;
    const b = rightWeight[x]!;
    out[o] = (Math.imul(data[i]!, a) + Math.imul(data[j]!, b)) >> 4;
    out[o + 1] = (Math.imul(data[i + 1]!, a) + Math.imul(data[j + 1]!, b)) >> 4;
    out[o + 2] = (Math.imul(data[i + 2]!, a) + Math.imul(data[j + 2]!, b)) >> 4;
  }
}

function blendRows(
  upper: Int32Array,
  lower: Int32Array,
  upperWeight: number,
  lowerWeight: number,
  out: Uint8Array,
  start: number,
): void {
  const count = upper.length;
  for (let i = 0; i < count; i++)
    out[start + i] =
      ((Math.imul(upper[i]!, upperWeight) >> 16) + (Math.imul(lower[i]!, lowerWeight) >> 16) + 2) >> 2;
}
