import { IGNORE_INDEX } from "../../core/ignore-index.ts";
import { orientLabel } from "../labels/orientation.ts";
import type { LabelImage, RgbImage } from "../sample.ts";

/** Which of an image's two forms a label was drawn on: upright, or raw as the pixels lie in the file. */
export type DrawnOn = "upright" | "raw" | "unclear";

/** Sides are compared at no more pixels than this: fine texture says nothing about where borders are. */
const MOST_SIDE = 384;
/** The borders of the right form lie on edges that are so much stronger. */
const CLEARLY = 1.15;
/** Fewer border pixels than this decide nothing. */
const LEAST_BORDERS = 24;

/**
 * Tells whether a label fits an image as it is shown, or only as its pixels lie in the file, from where the label's borders
 * meet edges of the image.
 *
 * @param image - Upright.
 * @param label - Of the same size.
 * @param orientation - The image's EXIF orientation, 2 to 8. Sides swap in square images only, or the sizes would differ.
 */
export function drawnOn(image: RgbImage, label: LabelImage, orientation: number): DrawnOn {
  const step = Math.max(1, Math.ceil(Math.max(image.height, image.width) / MOST_SIDE));
  const grey = greyOf(image, step);
  const upright = edgeAtBorders(grey, everyNth(label, step));
  const raw = edgeAtBorders(grey, everyNth(orientLabel(label, orientation), step));
  if (raw > CLEARLY * upright) return "raw";
  return upright > CLEARLY * raw ? "upright" : "unclear";
}

/** Brightness, averaged over squares of `step` pixels. */
function greyOf({ height, width, data }: RgbImage, step: number): LabelImage {
  const [rows, columns] = [Math.floor(height / step), Math.floor(width / step)];
  const out = new Uint8Array(rows * columns);
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++) {
      let sum = 0;
      for (let dy = 0; dy < step; dy++)
        for (let o = 3 * ((y * step + dy) * width + x * step), end = o + 3 * step; o < end; o++)
          sum += data[o]!;
      out[y * columns + x] = sum / (3 * step * step);
    }
  return { height: rows, width: columns, data: out };
}

function everyNth({ height, width, data }: LabelImage, step: number): LabelImage {
  const [rows, columns] = [Math.floor(height / step), Math.floor(width / step)];
  const out = new Uint8Array(rows * columns);
  const middle = step >> 1;
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++)
      out[y * columns + x] = data[(y * step + middle) * width + x * step + middle]!;
  return { height: rows, width: columns, data: out };
}

/** The mean step of brightness across the label's borders; 0 where it has too few. Borders to ignored pixels are drawn anywhere. */
function edgeAtBorders(grey: LabelImage, label: LabelImage): number {
  const { height, width } = grey;
  let [sum, count] = [0, 0];
  const compare = (here: number, there: number, before: number, after: number): void => {
    const [a, b] = [label.data[here]!, label.data[there]!];
    if (a === b || a === IGNORE_INDEX || b === IGNORE_INDEX) return;
    // One pixel further on both sides: borders are drawn with that accuracy.
    sum += Math.abs(grey.data[after]! - grey.data[before]!);
    count++;
  };
  for (let y = 1; y < height - 2; y++)
    for (let x = 1; x < width - 2; x++) {
      const i = y * width + x;
      compare(i, i + 1, i - 1, i + 2);
      compare(i, i + width, i - width, i + 2 * width);
    }
  return count < LEAST_BORDERS ? 0 : sum / count;
}
