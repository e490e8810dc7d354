import { argumentError } from "../../core/argument-error.ts";
import type { RgbImage } from "../sample.ts";

/** Nine anchors of the viridis colour map (dark blue over green to yellow); between them colours are interpolated. */
const VIRIDIS: readonly (readonly [number, number, number])[] = [
  [68, 1, 84],
  [71, 44, 122],
  [59, 81, 139],
  [44, 113, 142],
  [33, 144, 141],
  [39, 173, 129],
  [92, 200, 99],
  [170, 220, 50],
  [253, 231, 37],
];

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

/** Returns the colour of a share in [0, 1] (clamped) in the viridis colour map, 0..255. */
export function viridis(share: number): [number, number, number] {
  const position = Math.min(1, Math.max(0, share)) * (VIRIDIS.length - 1);
  const index = Math.min(VIRIDIS.length - 2, Math.floor(position));
  const from = VIRIDIS[index]!;
  const to = VIRIDIS[index + 1]!;
  const part = position - index;
  const between = (i: 0 | 1 | 2): number => Math.round(from[i] + part * (to[i] - from[i]));
  return [between(0), between(1), between(2)];
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
