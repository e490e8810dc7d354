import { argumentError } from "../core/argument-error.ts";
import type { Size } from "../core/size.ts";

/** Sliding-window inference: the crop that the network is fed, and the step from one to the next. */
export interface SlidingWindow {
  /** `[height, width]` in pixels of the (rescaled) image. */
  readonly crop: Size;
  /** `[down, right]`; at most the crop, or pixels would be left out. */
  readonly stride: Size;
}

/** A part of an image. */
export interface Window {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/**
 * Returns windows that cover an image; the last of a row or column is moved back inside, as mmsegmentation's `slide_inference` does.
 *
 * An image smaller than the crop is one window, without padding.
 *
 * @throws {RangeError} If crop or stride are no positive whole numbers, or the stride exceeds the crop.
 */
export function slidingWindows(size: Size, { crop, stride }: SlidingWindow): Window[] {
  const [rows, columns] = ([0, 1] as const).map((axis) => starts(size[axis], crop[axis], stride[axis])) as [
    number[],
    number[],
  ];
  const [height, width] = [Math.min(crop[0], size[0]), Math.min(crop[1], size[1])];
  return rows.flatMap((top) => columns.map((left) => ({ top, left, height, width })));
}

function starts(length: number, crop: number, stride: number): number[] {
  if (!(Number.isInteger(crop) && Number.isInteger(stride) && stride > 0 && stride <= crop))
    throw argumentError(
      "slidingWindows",
      "whole numbers with 0 < stride ≤ crop",
      `crop ${crop} and stride ${stride}`,
    );
  const count = Math.ceil(Math.max(0, length - crop) / stride) + 1;
  return Array.from({ length: count }, (_, i) => Math.max(0, Math.min(i * stride, length - crop)));
}
