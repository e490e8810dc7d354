import type { CounterRandom } from "../core/random.ts";

export interface FlipOptions {
  /** Probability of mirroring left to right. */
  readonly probability: number;
}

/** Draw whether a crop is mirrored left to right (mmcv `RandomFlip`, horizontal). */
export function drawFlip(random: CounterRandom, options: FlipOptions): boolean {
  return random.coin(options.probability);
}

/**
 * Mirror rows left to right, in place.
 *
 * @param data - `[rows, width, channels]`, row-major.
 */
export function flipRows_<T extends Uint8Array | Float32Array>(data: T, width: number, channels: number): T {
  const rowLength = width * channels;
  for (let start = 0; start < data.length; start += rowLength)
    for (let left = 0, right = width - 1; left < right; left++, right--)
      swap(data, start + left * channels, start + right * channels, channels);
  return data;
}

function swap(data: Uint8Array | Float32Array, a: number, b: number, channels: number): void {
  for (let c = 0; c < channels; c++) {
    const kept = data[a + c]!;
    data[a + c] = data[b + c]!;
    data[b + c] = kept;
  }
}
