import { argumentError } from "../../core/argument-error.ts";
import { IGNORE_INDEX } from "../../core/ignore-index.ts";
import type { ClassInfo, LabelImage, RgbImage } from "../sample.ts";
import { checkLabel, labelPalette } from "./label-png.ts";

/**
 * Returns labels as an image in the colours of their classes; ignored pixels are black.
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

/**
 * Returns the image with the colours of its labels over it; ignored pixels show the bare image.
 *
 * out = (1 − alpha)·image + alpha·colour
 *
 * @param alpha - Opacity of the labels, 0 to 1. Default 0.5.
 * @throws {RangeError} If sizes differ, alpha is outside [0, 1], or a label is neither a class nor 255.
 */
export function overlay(
  image: RgbImage,
  label: LabelImage,
  classes: readonly ClassInfo[],
  alpha = 0.5,
): RgbImage {
  if (image.height !== label.height || image.width !== label.width) {
    throw argumentError(
      "overlay",
      `labels of the image's size ${image.height}×${image.width}`,
      `${label.height}×${label.width}`,
      "resize the labels by nearest neighbour first",
    );
  }
  if (!(alpha >= 0 && alpha <= 1)) {
    throw argumentError("overlay", "alpha from 0 to 1", alpha);
  }
  checkLabel("overlay", label, classes.length);
  const palette = labelPalette(classes);
  const data = Uint8Array.from(image.data);
  label.data.forEach((value, i) => {
    if (value < classes.length && value !== IGNORE_INDEX) {
      for (let channel = 0; channel < 3; channel++) {
        const at = 3 * i + channel;
        data[at] = Math.round((1 - alpha) * data[at]! + alpha * palette[3 * value + channel]!);
      }
    }
  });
  return { height: image.height, width: image.width, data };
}
