/** One number for both, or `[height, width]`. */
export type Size2d = number | readonly [height: number, width: number];

/** `[height, width]` of a size. */
export function pairOf(size: Size2d): readonly [height: number, width: number] {
  return typeof size === "number" ? [size, size] : size;
}
