import type { RgbImage } from "../data/sample.ts";

export interface NormaliseOptions {
  /** Mean of red, green, blue, in levels of 255. */
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

/** What each of the 256 levels of red, green and blue is written as. */
export type LevelTables = readonly [Float32Array, Float32Array, Float32Array];

/** Returns the normalised levels, `(v − mean) / std`, computed in float32. */
export function normalisedLevels({ mean, std }: NormaliseOptions): LevelTables {
  const table = (c: 0 | 1 | 2) => {
    const [m, s] = [Math.fround(mean[c]), Math.fround(std[c])];
    return Float32Array.from({ length: 256 }, (_, v) => Math.fround(v - m) / s);
  };
  return [table(0), table(1), table(2)];
}

/**
 * Writes an image into the top left corner of a frame, through one table per channel, with zeros right of it and below it.
 *
 * Zero is put in after normalisation, as mmsegmentation's data preprocessor does: it is the mean colour.
 *
 * @param image - `[height, width, 3]`, 8-bit, no larger than the frame.
 * @param out - The frame, `[3, frame[0], frame[1]]`; all of it is written.
 * @param frame - `[height, width]`.
 */
export function writeFrame(
  { data, height, width }: RgbImage,
  levels: LevelTables,
  out: Float32Array,
  frame: readonly [number, number],
): void {
  if (height < frame[0] || width < frame[1]) out.fill(0);
  for (let y = 0; y < height; y++)
    writePixels(data.subarray(y * width * 3, (y + 1) * width * 3), levels, out, frame, y, 0);
}

/**
 * Writes pixels of a row into a frame, as {@link writeFrame} does, and leaves what lies around them as it is.
 *
 * @param pixels - `[count, 3]`, 8-bit.
 * @param y - Where in the frame the first of them lies.
 */
export function writePixels(
  pixels: Uint8Array,
  [reds, greens, blues]: LevelTables,
  out: Float32Array,
  [height, width]: readonly [number, number],
  y: number,
  x: number,
): void {
  const plane = height * width;
  const count = pixels.length;
  for (let i = 0, o = y * width + x; i < count; i += 3, o++) {
    out[o] = reds[pixels[i]!]!;
    out[o + plane] = greens[pixels[i + 1]!]!;
    out[o + 2 * plane] = blues[pixels[i + 2]!]!;
  }
}
