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
  const columns = linearTable(size[1], image.width, window.left, window.width, "clamped");
  const rows = linearTable(size[0], image.height, window.top, window.height, "repeated");
  if (flip) for (const side of Object.values(columns) as Int32Array[]) side.reverse();
  const rowLength = window.width * 3;
  let upperRow = new Int32Array(rowLength);
  let lowerRow = new Int32Array(rowLength);
  // Source rows that the two buffers hold; rows come in rising order, so at most two are ever needed.
  let held = -1;
  let heldNext = -1;
  for (let y = 0; y < window.height; y++) {
    const first = rows.lower[y]!;
    const second = rows.upper[y]!;
    if (first === heldNext && first !== held) {
      [upperRow, lowerRow] = [lowerRow, upperRow];
      held = heldNext;
      heldNext = -1;
    }
    if (first !== held) {
      interpolateRow(image.data, first * image.width * 3, columns, upperRow);
      held = first;
    }
    if (second !== heldNext) {
      if (second === first) lowerRow.set(upperRow);
      else interpolateRow(image.data, second * image.width * 3, columns, lowerRow);
      heldNext = second;
    }
    blendRows(upperRow, lowerRow, rows.lowerWeight[y]!, rows.upperWeight[y]!, out, y * rowLength);
  }
}

/** One source row at the window's columns, in units of 1/128 (OpenCV drops four of its eleven fraction bits here). */
function interpolateRow(data: Uint8Array, start: number, columns: LinearTable, out: Int32Array): void {
  const { lower, upper, lowerWeight, upperWeight } = columns;
  const count = lower.length;
  for (let x = 0, o = 0; x < count; x++, o += 3) {
    const i = start + Math.imul(lower[x]!, 3);
    const j = start + Math.imul(upper[x]!, 3);
    const a = lowerWeight[x]!;
    const b = upperWeight[x]!;
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
