import { argumentError } from "../core/argument-error.ts";
import type { Size } from "../core/size.ts";

export type { Size };

/** A rectangle of an image, in pixels of that image. */
export interface Window {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** Returns the window that covers an image. */
export function wholeImage([height, width]: Size): Window {
  return { top: 0, left: 0, height, width };
}

/** Checks a window on behalf of the named function. @throws {RangeError} If it does not lie inside an image of that size. */
export function assertInside(caller: string, window: Window, [height, width]: Size): void {
  const { top, left } = window;
  const bottom = top + window.height;
  const right = left + window.width;
  const whole = [top, left, bottom, right].every(Number.isInteger);
  if (
    !whole ||
    top < 0 ||
    left < 0 ||
    window.height < 1 ||
    window.width < 1 ||
    bottom > height ||
    right > width
  )
    throw argumentError(
      caller,
      `a window inside the image of ${height}x${width} pixels (height x width)`,
      `${window.height}x${window.width} at row ${top}, column ${left}`,
    );
}
