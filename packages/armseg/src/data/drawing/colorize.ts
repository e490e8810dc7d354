import type { ClassInfo, LabelImage, RgbImage } from "../sample.ts";
import { checkLabel, labelPalette } from "./label-png.ts";

/**
 * Labels as a picture in the colours of their classes; ignored pixels are black.
 *
 * @throws {RangeError} If a label is neither a class nor 255.
 */
export function colorize(label: LabelImage, classes: readonly ClassInfo[]): RgbImage {
  checkLabel("colorize", label, classes.length);
  const palette = labelPalette(classes);
  const data = new Uint8Array(label.data.length * 3);
  label.data.forEach((value, i) => {
    data[3 * i] = palette[3 * value]!;
    data[3 * i + 1] = palette[3 * value + 1]!;
    data[3 * i + 2] = palette[3 * value + 2]!;
  });
  return { height: label.height, width: label.width, data };
}
