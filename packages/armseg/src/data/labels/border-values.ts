import type { RawMask } from "./raw-mask.ts";

/** How often each raw value occurs, and how often among its own kind: with all four neighbours of the same value. */
export type BorderCounts = Map<number, { pixels: number; inside: number }>;

/** Counts a mask's values for {@link smoothedValues}, without its outermost pixels. */
export function countBorders({
  values,
  height,
  width,
}: Pick<RawMask, "values" | "height" | "width">): BorderCounts {
  const counts: BorderCounts = new Map();
  let last = -1;
  let count = { pixels: 0, inside: 0 };
  for (let y = 1; y < height - 1; y++)
    for (let i = y * width + 1, end = (y + 1) * width - 1; i < end; i++) {
      const value = values[i]!;
      if (value !== last) {
        count = counts.get(value) ?? { pixels: 0, inside: 0 };
        counts.set(value, count);
        last = value;
      }
      count.pixels++;
      if (isAmongItsKind(values, i, width)) count.inside++;
    }
  return counts;
}

function isAmongItsKind(values: RawMask["values"], i: number, width: number): boolean {
  const value = values[i];
  return (
    values[i - 1] === value &&
    values[i + 1] === value &&
    values[i - width] === value &&
    values[i + width] === value
  );
}

/** Adds the counts of another mask. */
export function addBorders(sum: BorderCounts, other: BorderCounts): void {
  for (const [value, { pixels, inside }] of other) {
    const own = sum.get(value) ?? { pixels: 0, inside: 0 };
    sum.set(value, { pixels: own.pixels + pixels, inside: own.inside + inside });
  }
}

export interface Smoothing {
  /** Values of areas: the labels. */
  readonly areas: readonly number[];
  /** Values that occur at borders only: mixtures of the labels on both sides. */
  readonly borders: readonly number[];
}

/** A value that is less often than this inside an area of its own occurs at borders only. */
const INSIDE_SHARE = 0.1;
/** A thin class (a pole, a line) has no inside either: so many values at borders are no classes. */
const LEAST_BORDERS = { levels: 3, colors: 8 };
/** Class numbers are counted from 0; levels that are mixed are chosen to be seen. */
const LEAST_SPREAD = 32;
/** Borders are few pixels; else the masks are something other than smoothed areas. */
const MOST_BORDER_PIXELS = 0.4;

/**
 * Tells whether masks were smoothed: resized with interpolation, drawn with anti-aliasing, or compressed as JPEG.
 *
 * Such masks have two or more values that fill areas, and at least as many values again that occur at borders only.
 *
 * @param hasOrder - Whether a mixture of two values lies between them, as grey levels do; colours and indices do not.
 * @returns The two kinds of value, ascending; undefined where the masks are not smoothed.
 */
export function smoothedValues(counts: BorderCounts, hasOrder: boolean): Smoothing | undefined {
  const sorted = [...counts].sort(([a], [b]) => a - b);
  const isArea = ({ pixels, inside }: { pixels: number; inside: number }): boolean =>
    inside >= INSIDE_SHARE * pixels;
  const areas = sorted.filter(([, count]) => isArea(count)).map(([value]) => value);
  const isMixture = (value: number): boolean => !hasOrder || (value > areas[0]! && value < areas.at(-1)!);
  const between = sorted.filter(([value, count]) => !isArea(count) && isMixture(value));
  const pixels = (list: typeof sorted): number => list.reduce((sum, [, count]) => sum + count.pixels, 0);
  const isSmoothed =
    areas.length >= 2 &&
    (!hasOrder || areas.at(-1)! - areas[0]! >= LEAST_SPREAD) &&
    between.length >= Math.max(hasOrder ? LEAST_BORDERS.levels : LEAST_BORDERS.colors, areas.length) &&
    pixels(between) <= MOST_BORDER_PIXELS * pixels(sorted);
  return isSmoothed ? { areas, borders: between.map(([value]) => value) } : undefined;
}
