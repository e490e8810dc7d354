import type { Mask } from "../../src/api.ts";

/** Bytes of an image, one a pixel, row-major. */
export interface Bytes {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Calls back for every stretch of pixels of a mask: from an index into the image, so many in a row. */
export function eachStretch(
  mask: Mask,
  imageWidth: number,
  use: (start: number, length: number) => void,
): void {
  const { top, left, width, runs } = mask;
  let at = 0;
  runs.forEach((run, i) => {
    const end = at + run;
    for (; i % 2 === 1 && at < end; ) {
      const row = Math.floor(at / width);
      const length = Math.min(end, (row + 1) * width) - at;
      use((top + row) * imageWidth + left + at - row * width, length);
      at += length;
    }
    at = end;
  });
}

/** Returns the pixels that have a value as a mask; null where none has. */
export function maskOfValue({ width, height, data }: Bytes, value: number): Mask | null {
  const box = boxOf({ width, height, data }, value);
  if (!box) return null;
  const runs: number[] = [];
  let [run, isInside] = [0, false];
  for (let y = box.top; y < box.top + box.height; y++) {
    for (let x = box.left; x < box.left + box.width; x++, run++) {
      if ((data[y * width + x] === value) === isInside) continue;
      runs.push(run);
      run = 0;
      isInside = !isInside;
    }
  }
  runs.push(run);
  return { ...box, runs };
}

function boxOf({ width, height, data }: Bytes, value: number): Omit<Mask, "runs"> | null {
  let [top, left, bottom, right] = [height, width, -1, -1];
  for (let y = 0; y < height; y++) {
    const row = data.subarray(y * width, (y + 1) * width);
    const first = row.indexOf(value);
    if (first < 0) continue;
    top = Math.min(top, y);
    bottom = y;
    left = Math.min(left, first);
    right = Math.max(right, row.lastIndexOf(value));
  }
  return bottom < 0 ? null : { top, left, height: bottom - top + 1, width: right - left + 1 };
}

/** The border of a mask in image pixels, between its pixels and the others. */
export function outline(mask: Mask): Path2D {
  const { top, left, width, height } = mask;
  const inside = new Uint8Array(width * height);
  eachStretch({ ...mask, top: 0, left: 0 }, width, (start, length) => inside.fill(1, start, start + length));
  const at = (x: number, y: number) =>
    x >= 0 && y >= 0 && x < width && y < height && inside[y * width + x] === 1;
  const path = new Path2D();
  for (let y = 0; y <= height; y++)
    for (let x = 0; x <= width; x++) {
      if (at(x, y) !== at(x, y - 1)) {
        path.moveTo(left + x, top + y);
        path.lineTo(left + x + 1, top + y);
      }
      if (at(x, y) !== at(x - 1, y)) {
        path.moveTo(left + x, top + y);
        path.lineTo(left + x, top + y + 1);
      }
    }
  return path;
}
