import type { HashRandom } from "@armseg/scenes";
import { findComponents } from "../core/components.ts";
import type { LabelImage } from "../data/sample.ts";

/** Along rows, columns and both diagonals. */
const DIRECTIONS = [
  [1, 0],
  [0, 1],
  [1, 1],
  [-1, 1],
] as const;

/**
 * Closes narrow gaps between regions of one class, as if a group of people or trees were drawn in one go.
 *
 * A pixel is in a gap of a class when that class lies on both sides of it along a row, a column or a diagonal, with
 * the gap no wider than allowed. Each connected gap is closed or left at random.
 *
 * @param gap - Widest gap that is closed, in pixels of the labels.
 * @returns Class per pixel, −1 for ignored pixels.
 */
export function mergeNeighbours(
  label: LabelImage,
  classCount: number,
  gap: number,
  probability: number,
  random: HashRandom,
): Int16Array {
  const classes = Int16Array.from(label.data, (value) => (value < classCount ? value : -1));
  if (gap < 1 || probability === 0) {
    return classes;
  }
  const { height, width } = label;
  const gaps = new Int16Array(classes.length).fill(-1);
  for (const [dx, dy] of DIRECTIONS) {
    markGaps_(gaps, classes, height, width, dx, dy, Math.floor(gap / Math.hypot(dx, dy)));
  }
  const { ids, list } = findComponents(gaps, height, width);
  const isClosed = list.map(() => random.chance(probability));
  return classes.map((value, at) => (ids[at]! >= 0 && isClosed[ids[at]!] ? gaps[at]! : value));
}

/** Marks, in place, the pixels between two of one class that are at most `longest` steps apart in a direction. */
function markGaps_(
  gaps: Int16Array,
  classes: Int16Array,
  height: number,
  width: number,
  dx: number,
  dy: number,
  longest: number,
): void {
  const step = dy * width + dx;
  for (let row = 0, at = 0; row < height; row++) {
    for (let column = 0; column < width; column++, at++) {
      const value = classes[at]!;
      const room = roomFor(row, column, height, width, dx, dy);
      if (value < 0 || room < 1 || classes[at + step] === value) {
        continue;
      }
      const reach = Math.min(room, longest + 1);
      let length = 1;
      while (length <= reach && classes[at + length * step] !== value) {
        length++;
      }
      for (let k = 1; k < length && length <= reach; k++) {
        gaps[at + k * step] = value;
      }
    }
  }
}

/** Steps that can be taken in a direction without leaving the frame. */
function roomFor(row: number, column: number, height: number, width: number, dx: number, dy: number): number {
  const across = dx > 0 ? width - 1 - column : dx < 0 ? column : Infinity;
  return Math.min(across, dy > 0 ? height - 1 - row : Infinity);
}
