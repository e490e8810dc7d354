import type { RgbImage } from "../datasets/sample.ts";

export interface NormaliseOptions {
  /** Mean of red, green, blue, in levels of 255. */
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

/** Order of the numbers of an image in memory: `[3, height, width]` or `[height, width, 3]`. */
export type MemoryLayout = "channelsFirst" | "channelsLast";

/** What each of the 256 levels becomes in each channel: `(v − mean) / std` in float32. */
export function normaliseTables({ mean, std }: NormaliseOptions): readonly Float32Array[] {
  return mean.map((m, c) => {
    const s = Math.fround(std[c]!);
    return Float32Array.from({ length: 256 }, (_, v) => Math.fround(v - Math.fround(m)) / s);
  });
}

/**
 * Write an image into a larger frame as numbers: through one table a channel, zero right of it and below it.
 *
 * Zero is put in after normalisation, as mmsegmentation's data preprocessor does: it is the mean colour.
 *
 * @param image - `[height, width, 3]`, 8-bit, no larger than the frame.
 * @param tables - One of 256 numbers for red, green, blue.
 * @param out - The frame, `3 · frame[0] · frame[1]` numbers; all of them are written.
 * @param frame - `[height, width]`.
 */
export function writeFrame(
  image: RgbImage,
  tables: readonly Float32Array[],
  out: Float32Array,
  frame: readonly [number, number],
  layout: MemoryLayout,
): void {
  const [red, green, blue] = tables as readonly [Float32Array, Float32Array, Float32Array];
  const padded = image.height < frame[0] || image.width < frame[1];
  if (padded) out.fill(0);
  const plane = layout === "channelsFirst" ? frame[0] * frame[1] : 1;
  const step = layout === "channelsFirst" ? 1 : 3;
  for (let y = 0; y < image.height; y++) {
    let i = y * image.width * 3;
    let o = y * frame[1] * step;
    for (let x = 0; x < image.width; x++, i += 3, o += step) {
      out[o] = red[image.data[i]!]!;
      out[o + plane] = green[image.data[i + 1]!]!;
      out[o + 2 * plane] = blue[image.data[i + 2]!]!;
    }
  }
}
