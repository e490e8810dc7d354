import type { RgbImage } from "../data/sample.ts";

export interface NormaliseOptions {
  /** Mean of red, green, blue, in levels of 255. */
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

/** Order of the numbers of an image in memory: `[3, height, width]` or `[height, width, 3]`. */
export type MemoryLayout = "channelsFirst" | "channelsLast";

/** What each of the 256 levels of red, green and blue is written as, and what padding is. */
export interface LevelTables {
  readonly tables: readonly [Float32Array, Float32Array, Float32Array];
  readonly padding: readonly [number, number, number];
}

/**
 * Normalisation: `(v − mean) / std` in float32, zero for padding.
 *
 * Zero is put in after normalisation, as mmsegmentation's data preprocessor does: it is the mean colour.
 */
export function normalisedLevels({ mean, std }: NormaliseOptions): LevelTables {
  const table = (c: 0 | 1 | 2) => {
    const [m, s] = [Math.fround(mean[c]), Math.fround(std[c])];
    return Float32Array.from({ length: 256 }, (_, v) => Math.fround(v - m) / s);
  };
  return { tables: [table(0), table(1), table(2)], padding: [0, 0, 0] };
}

/** The levels as they are, to be normalised later; padding is the mean rounded to a level, which is then nearly 0. */
export function plainLevels({ mean }: NormaliseOptions): LevelTables {
  const table = Float32Array.from({ length: 256 }, (_, v) => v);
  return {
    tables: [table, table, table],
    padding: [Math.round(mean[0]), Math.round(mean[1]), Math.round(mean[2])],
  };
}

/**
 * Write an image into the top left corner of a frame, through one table a channel, with padding right of it and below it.
 *
 * @param image - `[height, width, 3]`, 8-bit, no larger than the frame.
 * @param out - The frame, `3 · frame[0] · frame[1]` numbers; all of them are written.
 * @param frame - `[height, width]`.
 */
export function writeFrame(
  image: RgbImage,
  levels: LevelTables,
  out: Float32Array | Uint8Array,
  frame: readonly [number, number],
  layout: MemoryLayout,
): void {
  const plane = layout === "channelsFirst" ? frame[0] * frame[1] : 1;
  const step = layout === "channelsFirst" ? 1 : 3;
  if (image.height < frame[0] || image.width < frame[1]) fillFrame(levels.padding, out, plane, step);
  for (let c = 0; c < 3; c++)
    for (let y = 0; y < image.height; y++)
      writeRow(
        image.data,
        y * image.width * 3 + c,
        image.width,
        levels.tables[c]!,
        out,
        c * plane + y * frame[1] * step,
        step,
      );
}

function fillFrame(
  colors: readonly number[],
  out: Float32Array | Uint8Array,
  plane: number,
  step: number,
): void {
  if (step === 1) for (let c = 0; c < 3; c++) out.fill(colors[c]!, c * plane, (c + 1) * plane);
  else for (let i = 0; i < out.length; i++) out[i] = colors[i % 3]!;
}

function writeRow(
  data: Uint8Array,
  from: number,
  count: number,
  table: Float32Array,
  out: Float32Array | Uint8Array,
  to: number,
  step: number,
): void {
  for (let i = from, o = to, end = from + 3 * count; i < end; i += 3, o += step) out[o] = table[data[i]!]!;
}
