import type { Region } from "../sample.ts";

/** Tools round the corner of a mask's box in their own ways. */
const ROUNDING = 1;

/**
 * Returns why a region can be no part of an image, or undefined where it may be: it lies outside, as shapes made for another size do; or it is a mask in a box, which
 * is painted on the image's own pixels, and reaches beyond them; or it lies within one pixel, as shapes whose coordinates are shares of the image do.
 *
 * @param size - `[height, width]` of the image in pixels.
 */
export function misplaced({ shape }: Region, [height, width]: readonly [number, number]): string | undefined {
  if (shape.kind === "rle") return misplacedMask(shape, [height, width]);
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

function misplacedMask(
  { top = 0, left = 0, height: rows, width: columns }: Extract<Region["shape"], { kind: "rle" }>,
  [height, width]: readonly [number, number],
): string | undefined {
  const [bottom, right] = [top + rows, left + columns];
  const isInside =
    top >= -ROUNDING && left >= -ROUNDING && bottom <= height + ROUNDING && right <= width + ROUNDING;
  if (isInside) return undefined;
  return `is a mask at ${left} to ${right} across and ${top} to ${bottom} down, beyond its image of ${width} by ${height} pixels; was it made for another size?`;
}

function text(coordinate: number): string {
  return String(Math.round(100 * coordinate) / 100);
}
