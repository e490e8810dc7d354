import { type ClassInfo, IGNORE_INDEX, type LabelImage, type RgbImage } from "../sample.ts";
import { checkLabel, labelPalette } from "./label-png.ts";

/**
 * The picture with the colours of its labels over it; ignored pixels show the bare picture.
 *
 * out = (1 − alpha)·picture + alpha·colour
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
    throw new RangeError(
      `overlay(): expected labels of the picture's size ${image.height}×${image.width}, ` +
        `got ${label.height}×${label.width}. Resize the labels by nearest neighbour first.`,
    );
  }
  if (!(alpha >= 0 && alpha <= 1)) {
    throw new RangeError(`overlay(): expected alpha from 0 to 1, got ${alpha}.`);
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
