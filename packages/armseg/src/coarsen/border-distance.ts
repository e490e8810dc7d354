/** A map of whole numbers, row-major; equal numbers belong together. */
export interface IdMap {
  readonly height: number;
  readonly width: number;
  readonly data: Uint8Array | Int32Array;
}

/**
 * Exact Euclidean distance from each pixel's centre to the nearest centre of a pixel with another number, in pixels.
 *
 * The border between two neighbours lies half a pixel before that centre. With `frame`, whatever lies beyond the frame
 * counts as another number, too. Columns first, then the lower envelope of parabolas along each run of a row (Felzenszwalb and Huttenlocher 2012),
 * one pass for all numbers.
 *
 * @returns `[height, width]`; Infinity where the map holds one number only.
 */
export function distanceToOther(map: IdMap, frame = false): Float32Array {
  const vertical = verticalDistance(map, frame ? 1 : Infinity);
  const { height, width } = map;
  const squared = new Float32Array(height * width);
  const envelope = new Envelope(width + 2);
  for (let row = 0; row < height; row++) {
    const start = row * width;
    for (let from = 0; from < width; ) {
      let to = from + 1;
      while (to < width && map.data[start + to] === map.data[start + from]) {
        to++;
      }
      envelope.reset();
      if (frame || from > 0) {
        envelope.add(from - 1, 0);
      }
      for (let column = from; column < to; column++) {
        const up = vertical[start + column]!;
        envelope.add(column, up * up);
      }
      if (frame || to < width) {
        envelope.add(to, 0);
      }
      envelope.evaluate(squared, start, from, to);
      from = to;
    }
  }
  return squared.map(Math.sqrt);
}

/** Distance along the column to the nearest pixel with another number; Infinity where there is none. */
function verticalDistance({ height, width, data }: IdMap, atFrame: number): Float32Array {
  const distance = new Float32Array(height * width);
  distance.fill(atFrame, 0, width);
  for (let column = 0; column < width; column++) {
    for (let at = column + width; at < data.length; at += width) {
      distance[at] = data[at] === data[at - width] ? distance[at - width]! + 1 : 1;
    }
    const last = data.length - width + column;
    distance[last] = Math.min(distance[last]!, atFrame);
    for (let at = last - width; at >= 0; at -= width) {
      const below = data[at] === data[at + width] ? distance[at + width]! + 1 : 1;
      distance[at] = Math.min(distance[at]!, below);
    }
  }
  return distance;
}

/** Lower envelope of parabolas (x − center)² + height, added from left to right. */
class Envelope {
  readonly #centers: Int32Array;
  readonly #heights: Float64Array;
  /** Where each parabola starts to be the lowest. */
  readonly #starts: Float64Array;
  #count = 0;

  constructor(capacity: number) {
    this.#centers = new Int32Array(capacity);
    this.#heights = new Float64Array(capacity);
    this.#starts = new Float64Array(capacity);
  }

  reset(): void {
    this.#count = 0;
  }

  add(center: number, height: number): void {
    if (height === Infinity) {
      return;
    }
    let start = -Infinity;
    while (this.#count > 0) {
      const last = this.#count - 1;
      const c = this.#centers[last]!;
      start = (height + center * center - this.#heights[last]! - c * c) / (2 * (center - c));
      if (start > this.#starts[last]!) {
        break;
      }
      this.#count--;
      start = -Infinity;
    }
    this.#centers[this.#count] = center;
    this.#heights[this.#count] = height;
    this.#starts[this.#count] = start;
    this.#count++;
  }

  evaluate(out: Float32Array, offset: number, from: number, to: number): void {
    let k = 0;
    for (let x = from; x < to; x++) {
      while (k + 1 < this.#count && this.#starts[k + 1]! <= x) {
        k++;
      }
      const gap = x - this.#centers[k]!;
      out[offset + x] = this.#count === 0 ? Infinity : gap * gap + this.#heights[k]!;
    }
  }
}
