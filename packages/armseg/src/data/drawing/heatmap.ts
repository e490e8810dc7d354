import { argumentError } from "../../core/argument-error.ts";
import { viridis } from "../../core/viridis.ts";
import type { RgbImage } from "../sample.ts";

/** A map of numbers, row-major. */
export interface FloatMap {
  readonly height: number;
  readonly width: number;
  readonly data: Float32Array | Float64Array;
}

/**
 * Returns numbers as colours, from dark blue over green to yellow; what is not a number is grey.
 *
 * @param range - Values shown darkest and brightest; beyond them colours stay. Default: the least and greatest finite value.
 * @throws {RangeError} If the data do not fill the size, or the range is empty or not finite.
 */
export function heatmap(map: FloatMap, range: readonly [number, number] = rangeOf(map.data)): RgbImage {
  const [low, high] = range;
  if (map.data.length !== map.height * map.width) {
    throw argumentError("heatmap", `${map.height}×${map.width} numbers`, map.data.length);
  }
  if (!(Number.isFinite(low) && Number.isFinite(high) && low <= high)) {
    throw argumentError("heatmap", "a finite range [low, high]", [low, high]);
  }
  const data = new Uint8Array(map.data.length * 3);
  map.data.forEach((value: number, i: number) => {
    const share = high > low ? (value - low) / (high - low) : 0.5;
    data.set(Number.isNaN(value) ? [128, 128, 128] : viridis(share), 3 * i);
  });
  return { height: map.height, width: map.width, data };
}

function rangeOf(data: Float32Array | Float64Array): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const value of data) {
    if (Number.isFinite(value)) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  return low <= high ? [low, high] : [0, 0];
}
