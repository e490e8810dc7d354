import type { CounterRandom } from "../core/random.ts";
import type { Size } from "./window.ts";

export interface RandomResizeOptions {
  /** The size that an image is fitted into at ratio 1, `[height, width]`; its longer side meets the image's longer side. */
  readonly base: Size;
  /** Smallest and largest ratio to the base. */
  readonly ratioRange: readonly [number, number];
}

/**
 * Draws the size that an image is resized to, keeping its aspect ratio.
 *
 * ratio ~ U(ratioRange); the base is multiplied by it and truncated; the image is fitted into that, rounding half up. mmcv `RandomResize` with
 * `keep_ratio=True` and `rescale_size`.
 *
 * @returns `[height, width]` of the resized image, each at least 1.
 */
export function drawResize(random: CounterRandom, image: Size, options: RandomResizeOptions): Size {
  const [low, high] = options.ratioRange;
  return resizedSize(image, options.base, random.uniform(low, high));
}

/** Returns the size of an image fitted into `base · ratio`, keeping its aspect ratio (mmcv `rescale_size`). */
export function resizedSize(image: Size, base: Size, ratio = 1): Size {
  const scaled = [Math.trunc(base[0] * ratio), Math.trunc(base[1] * ratio)] as const;
  const factor = Math.min(Math.max(...scaled) / Math.max(...image), Math.min(...scaled) / Math.min(...image));
  return [scaleSide(image[0], factor), scaleSide(image[1], factor)];
}

function scaleSide(side: number, factor: number): number {
  return Math.max(1, Math.trunc(side * factor + 0.5));
}
