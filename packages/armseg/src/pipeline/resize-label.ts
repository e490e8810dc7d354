import type { LabelImage } from "../data/sample.ts";
import { nearestTable } from "./resize-tables.ts";
import { assertInside, type Size, type Window } from "./window.ts";

/**
 * Returns a window of the resized label, by nearest neighbour: labels have no other way to be resized here.
 *
 * Bit for bit `cv2.resize(label, size, interpolation=cv2.INTER_NEAREST)[window]`.
 *
 * @param label - `[height, width]`, class indices and the ignore index.
 * @param size - `[height, width]` of the whole resized label.
 * @param window - In pixels of the resized label.
 * @param options.flip - Whether to mirror the window left to right.
 * @throws If the window leaves the resized label.
 */
export function resizeLabelWindow(
  label: LabelImage,
  size: Size,
  window: Window,
  options: { flip?: boolean } = {},
): LabelImage {
  const data = new Uint8Array(window.height * window.width);
  pickNearest(label, size, window, options.flip ?? false, data, window.width);
  return { height: window.height, width: window.width, data };
}

/** A per-pixel map of numbers, such as a weight map, `[height, width]`. */
export interface NumberMap<T extends Uint8Array | Float32Array> {
  readonly height: number;
  readonly width: number;
  readonly data: T;
}

/**
 * Writes a window of a map resized by nearest neighbour into the top left corner of `out`.
 *
 * @param stride - Elements from one row of `out` to the next.
 * @throws If the window leaves the resized map.
 */
export function pickNearest<T extends Uint8Array | Float32Array>(
  map: NumberMap<T>,
  size: Size,
  window: Window,
  flip: boolean,
  out: T,
  stride: number,
): void {
  assertInside("pickNearest", window, size);
  const rows = nearestTable(size[0], map.height, window.top, window.height);
  const columns = nearestTable(size[1], map.width, window.left, window.width);
  if (flip) columns.reverse();
  for (let y = 0; y < window.height; y++) {
    const to = y * stride;
    // Enlarging repeats rows.
    if (y > 0 && rows[y] === rows[y - 1]) out.copyWithin(to, to - stride, to - stride + window.width);
    else pickRow(map.data, rows[y]! * map.width, columns, out, to);
  }
}

function pickRow<T extends Uint8Array | Float32Array>(
  data: T,
  start: number,
  columns: Int32Array,
  out: T,
  to: number,
): void {
  for (let x = 0; x < columns.length; x++) out[to + x] = data[start + columns[x]!]!;
}
