import type { Region } from "../sample.ts";

/**
 * Returns why a region can be no part of an image, or undefined where it may be: it lies outside, as shapes made for another size do, or within one pixel, as shapes
 * whose coordinates are shares of the image do.
 *
 * @param size - `[height, width]` of the image in pixels.
 */
export function misplaced({ shape }: Region, [height, width]: readonly [number, number]): string | undefined {
  if (shape.kind === "rle") return undefined;
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const ring of shape.rings)
    for (let i = 0; i + 1 < ring.length; i += 2) {
      left = Math.min(left, ring[i]!);
      right = Math.max(right, ring[i]!);
      top = Math.min(top, ring[i + 1]!);
      bottom = Math.max(bottom, ring[i + 1]!);
    }
  if (left > right) return undefined;
  if (right < 0 || bottom < 0 || left >= width || top >= height)
    return `lies at ${text(left)} to ${text(right)} across and ${text(top)} to ${text(bottom)} down, outside its image of ${width} by ${height} pixels; was it made for another size?`;
  if (right - left < 1 && bottom - top < 1)
    return `lies at ${text(left)} to ${text(right)} across and ${text(top)} to ${text(bottom)} down, less than a pixel; are its coordinates shares of the image?`;
  return undefined;
}

function text(coordinate: number): string {
  return String(Math.round(100 * coordinate) / 100);
}
