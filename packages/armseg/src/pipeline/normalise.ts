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
  image: RgbImage,
  levels: LevelTables,
  out: Float32Array,
  frame: readonly [number, number],
): void {
  const { data, height, width } = image;
  if (height < frame[0] || width < frame[1]) out.fill(0);
  for (let c = 0; c < 3; c++)
    for (let y = 0; y < height; y++)
      writeRow(data, y * width * 3 + c, width, levels[c]!, out, (c * frame[0] + y) * frame[1]);
}

function writeRow(
  data: Uint8Array,
  from: number,
  count: number,
  table: Float32Array,
  out: Float32Array,
  to: number,
): void {
  for (let i = from, o = to, end = from + 3 * count; i < end; i += 3, o++) out[o] = table[data[i]!]!;
}
