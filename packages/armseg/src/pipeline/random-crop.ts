import { IGNORE_INDEX } from "../core/ignore-index.ts";
import type { CounterRandom } from "../core/random.ts";
import type { LabelImage } from "../data/sample.ts";
import { nearestTable } from "./resize-tables.ts";
import type { Size, Window } from "./window.ts";

export interface RandomCropOptions {
  /** `[height, width]` of the crop; a smaller image is padded to it. */
  readonly size: Size;
  /** A crop is drawn again while one class takes this part of its valid pixels, or it shows fewer than two classes; 1 accepts all. */
  readonly maxCategoryRatio: number;
}

/** Further draws after an unacceptable crop; the last is taken as it comes. */
const MAX_REDRAWS = 10;

/**
 * Draws the window of the resized image that becomes the crop; it is smaller than the crop where the image is.
 *
 * mmsegmentation `RandomCrop`: up to ten further draws until the crop shows more than one class and the largest holds less than
 * `maxCategoryRatio` of the pixels that are not ignored.
 *
 * @param label - The label in its size on disk: counting needs no resized copy.
 * @param resized - `[height, width]` that label and image are resized to.
 */
export function drawCrop(
  random: CounterRandom,
  label: LabelImage,
  resized: Size,
  options: RandomCropOptions,
): Window {
  let window = drawWindow(random, resized, options.size);
  if (options.maxCategoryRatio >= 1) return window;
  for (let i = 0; i < MAX_REDRAWS; i++) {
    if (isVaried(countClasses(label, resized, window), options.maxCategoryRatio)) break;
    window = drawWindow(random, resized, options.size);
  }
  return window;
}

function drawWindow(random: CounterRandom, resized: Size, crop: Size): Window {
  const height = Math.min(crop[0], resized[0]);
  const width = Math.min(crop[1], resized[1]);
  const top = random.integer(0, resized[0] - height + 1);
  const left = random.integer(0, resized[1] - width + 1);
  return { top, left, height, width };
}

/** Returns whether valid pixels show more than one class and none holds `maxRatio` of them or more. */
export function isVaried(counts: Float64Array, maxRatio: number): boolean {
  let classes = 0;
  let total = 0;
  let largest = 0;
  for (let value = 0; value < IGNORE_INDEX; value++) {
    const count = counts[value]!;
    if (count === 0) continue;
    classes++;
    total += count;
    largest = Math.max(largest, count);
  }
  return classes > 1 && largest / total < maxRatio;
}

/**
 * Counts the pixels of each label value in a window of the label resized by nearest neighbour, without resizing it.
 *
 * @returns 256 counts.
 */
export function countClasses(label: LabelImage, resized: Size, window: Window): Float64Array {
  const rows = nearestTable(resized[0], label.height, window.top, window.height);
  const columns = nearestTable(resized[1], label.width, window.left, window.width);
  const counts = new Float64Array(256);
  for (let y = 0; y < rows.length; ) {
    const row = rows[y]!;
    let repeats = 0;
    while (y < rows.length && rows[y] === row) {
      repeats++;
      y++;
    }
    countRow(label.data, row * label.width, columns, repeats, counts);
  }
  return counts;
}

/** Runs of one value are added once: neighbouring pixels mostly share their class. */
function countRow(
  data: Uint8Array,
  start: number,
  columns: Int32Array,
  repeats: number,
  counts: Float64Array,
): void {
  let value = data[start + columns[0]!]!;
  let run = 0;
  for (let x = 0; x < columns.length; x++) {
    const next = data[start + columns[x]!]!;
    if (next !== value) {
      counts[value] = counts[value]! + run * repeats;
      value = next;
      run = 0;
    }
    run++;
  }
  counts[value] = counts[value]! + run * repeats;
}
