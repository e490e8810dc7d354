/** A corner of a polygon, in whole pixels: the centre of the pixel in that column and row. */
export type Vertex = readonly [x: number, y: number];

/** A binary picture of its own, with an empty rim of one pixel. */
export interface Mask {
  readonly height: number;
  readonly width: number;
  readonly data: Uint8Array;
}

/** Clockwise from the east, as rows grow downwards. */
const STEPS: readonly Vertex[] = [
  [1, 0],
  [1, 1],
  [0, 1],
  [-1, 1],
  [-1, 0],
  [-1, -1],
  [0, -1],
  [1, -1],
];

/**
 * The outer outline of a connected mask: the centres of its border pixels, clockwise, by Moore's neighbour tracing.
 *
 * Pixels on thin parts appear twice, on the way out and back.
 */
export function traceOutline({ data, width }: Mask): Vertex[] {
  const start = data.indexOf(1);
  const outline: Vertex[] = [];
  let at = start;
  // The first pixel in reading order has nothing to its west, where the search begins.
  let direction = 4;
  let firstDirection = -1;
  for (let guard = 4 * data.length; guard > 0; guard--) {
    let turn = 1;
    for (; turn <= 8; turn++) {
      const [dx, dy] = STEPS[(direction + turn) % 8]!;
      if (data[at + dy * width + dx] === 1) {
        break;
      }
    }
    if (turn > 8) {
      return [[at % width, Math.floor(at / width)]];
    }
    const step = (direction + turn) % 8;
    if (at === start) {
      if (firstDirection === step) {
        return outline;
      }
      firstDirection = firstDirection < 0 ? step : firstDirection;
    }
    outline.push([at % width, Math.floor(at / width)]);
    const [dx, dy] = STEPS[step]!;
    at += dy * width + dx;
    // Go on from the pixel after the one we came from.
    direction = (step + 4) % 8;
  }
  return outline;
}

/**
 * Fills holes of the mask below the given area and opens larger ones by a cut one pixel wide, in place.
 *
 * A polygon has no holes; an annotator goes around them.
 */
export function removeHoles_(mask: Mask, largestFilled: number): void {
  const { height, width, data } = mask;
  const seen = new Uint8Array(data.length);
  const stack: number[] = [];
  const flood = (start: number): number[] => {
    const pixels = [start];
    seen[start] = 1;
    stack.push(start);
    while (stack.length > 0) {
      const at = stack.pop()!;
      for (const next of [at - 1, at + 1, at - width, at + width]) {
        if (next >= 0 && next < data.length && data[next] === 0 && seen[next] === 0) {
          seen[next] = 1;
          stack.push(next);
          pixels.push(next);
        }
      }
    }
    return pixels;
  };
  flood(0);
  for (let row = 1; row < height - 1; row++) {
    for (let column = 1; column < width - 1; column++) {
      const at = row * width + column;
      if (data[at] === 0 && seen[at] === 0) {
        const hole = flood(at);
        if (hole.length <= largestFilled) {
          for (const pixel of hole) data[pixel] = 1;
        } else {
          cutToOutside_(mask, hole, seen);
        }
      }
    }
  }
}

/** Clears the shortest straight way from a hole to the outside or to a hole already opened. */
function cutToOutside_({ data, width }: Mask, hole: readonly number[], seen: Uint8Array): void {
  const own = new Set(hole);
  let best: readonly [start: number, step: number, length: number] = [0, 0, Infinity];
  // Every pixel of a large hole would be many starts for the same cut.
  const stride = Math.max(1, Math.floor(hole.length / 64));
  for (let i = 0; i < hole.length; i += stride) {
    for (const step of [-width, width, -1, 1]) {
      const start = hole[i]! + step;
      let length = 0;
      let at = start;
      while (length < best[2] && (data[at] === 1 || own.has(at))) {
        at += step;
        length++;
      }
      // What is empty and not seen is another hole, still closed.
      if (length < best[2] && seen[at] === 1) {
        best = [start, step, length];
      }
    }
  }
  const [start, step, length] = best;
  for (let k = 0; k < length && length < Infinity; k++) {
    data[start + k * step] = 0;
    seen[start + k * step] = 1;
  }
}
