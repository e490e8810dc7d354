import { argumentError } from "./argument-error.ts";

/**
 * Some pixels of an image: a box, and run lengths within it.
 *
 * `runs` go along the rows of the box, from its upper left pixel on: so many pixels outside, so many inside, and so on in turn; they
 * add up to `height * width`.
 */
export interface RegionMask {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
  readonly runs: readonly number[];
}

/** Returns the number of pixels inside a mask. */
export function maskArea({ runs }: RegionMask): number {
  return runs.reduce((area, run, i) => area + (i % 2 === 1 ? run : 0), 0);
}

/** Tells whether the box of a mask lies within an image of `[height, width]`. */
export function fitsSize({ top, left, height, width }: RegionMask, size: readonly [number, number]): boolean {
  return top + height <= size[0] && left + width <= size[1];
}

/** Yields the pixels inside a mask as stretches of a row: from `start`, an index into the row-major image, `length` pixels. */
export function* maskStretches(
  { top, left, width, runs }: RegionMask,
  imageWidth: number,
): Generator<readonly [start: number, length: number]> {
  let at = 0;
  for (const [i, run] of runs.entries()) {
    const end = at + run;
    while (i % 2 === 1 && at < end) {
      const row = Math.floor(at / width);
      const length = Math.min(end, (row + 1) * width) - at;
      yield [(top + row) * imageWidth + left + at - row * width, length];
      at += length;
    }
    at = end;
  }
}

/**
 * Returns the mask of some pixels of a box.
 *
 * @param inside - Whether the pixel of that row and column of the image belongs to it.
 */
export function regionMask(
  box: { readonly top: number; readonly left: number; readonly height: number; readonly width: number },
  inside: (row: number, column: number) => boolean,
): RegionMask {
  const { top, left, height, width } = box;
  const runs: number[] = [];
  let run = 0;
  let isInside = false;
  for (let row = top; row < top + height; row++) {
    for (let column = left; column < left + width; column++, run++) {
      if (inside(row, column) === isInside) continue;
      runs.push(run);
      run = 0;
      isInside = !isInside;
    }
  }
  runs.push(run);
  return { top, left, height, width, runs };
}

/**
 * Sets the pixels of a mask to a value, in place.
 *
 * @param image - Row-major, `height * width`.
 * @throws {RangeError} If the mask reaches beyond the image.
 */
export function fillMask_(
  image: { readonly height: number; readonly width: number; readonly data: Uint8Array },
  mask: RegionMask,
  value: number,
): void {
  const { height, width, data } = image;
  if (!fitsSize(mask, [height, width])) {
    const { top, left } = mask;
    throw argumentError(
      "fillMask_",
      `a mask within ${height}x${width} pixels`,
      `one of ${mask.height}x${mask.width} at row ${top}, column ${left}`,
    );
  }
  for (const [start, length] of maskStretches(mask, width)) data.fill(value, start, start + length);
}
