import type { Tensor } from "@armseg/torch";
import { fromTypedArray, ops, tidy } from "@armseg/torch";
import type { Size } from "../core/size.ts";

/**
 * A map `[N, C, H, W]` whose rows are computed when they are asked for.
 *
 * The logits of a whole image in full resolution fill gigabytes (150 classes at 1024×2048: 1.3 GB per view). Everything
 * that test-time augmentation does to them works on a few rows at a time, so they never exist.
 */
export interface RowSource {
  readonly images: number;
  readonly classes: number;
  readonly size: Size;
  /** Memory that computing a row takes at its peak, the row included, in bytes. */
  readonly rowBytes: number;
  /** Rows `from` to `to − 1`, `[N, C, to − from, W]`, float32 or float64. */
  rows(from: number, to: number): Tensor;
}

/** Gives the rows of a map that is there: `[N, C, H, W]`, reduced precision widened to float32. */
export function wholeRows(map: Tensor): RowSource {
  const [images = 0, classes = 0, height = 0, width = 0] = map.shape;
  const isReduced = map.dtype === "float16" || map.dtype === "bfloat16";
  const dtype = isReduced ? "float32" : map.dtype;
  return {
    images,
    classes,
    size: [height, width],
    rowBytes: images * classes * width * bytesOf(dtype),
    rows: (from, to) => map.narrow(2, from, to - from).to(map.device, dtype),
  };
}

function bytesOf(dtype: string): number {
  return dtype === "float64" ? 8 : 4;
}

/**
 * Resizes bilinearly, not antialiased: `F.interpolate`, a few rows at a time.
 *
 * @param alignCorners - Whether the middles of the corner pixels stay where they are, instead of the map's corners.
 */
export function resizedRows(source: RowSource, size: Size, alignCorners = false): RowSource {
  const [height, width] = size;
  const [sourceHeight, sourceWidth] = source.size;
  if (sourceHeight === height && sourceWidth === width) return source;
  return {
    ...source,
    size,
    // The source's rows, their mixture, and that in its new width.
    rowBytes: source.rowBytes * (sourceHeight / height) + ownBytes(source) * (1 + width / sourceWidth),
    rows: (from, to) =>
      tidy(() => {
        const place = placement(sourceHeight, height, alignCorners);
        const tall =
          height === sourceHeight ? source.rows(from, to) : verticallyResized(source, place, from, to);
        if (width === sourceWidth) return tall;
        return ops.upsampleBilinear2d(tall, [to - from, width], alignCorners, null);
      }),
  };
}

/** Returns the bytes of a row that is there, taken to be no wider than float64. */
function ownBytes({ images, classes, size, rowBytes }: RowSource): number {
  return Math.min(rowBytes, images * classes * size[1] * bytesOf("float64"));
}

/** Where row i of `length` rows lies among `sourceLength`, before it is moved inside. */
function placement(sourceLength: number, length: number, alignCorners: boolean): (row: number) => number {
  if (!alignCorners) return (row) => ((row + 0.5) * sourceLength) / length - 0.5;
  const step = length > 1 ? (sourceLength - 1) / (length - 1) : 0;
  return (row) => row * step;
}

/**
 * Returns rows `from` to `to − 1` of the resized map, row i at `place(i)`: each is a mixture of the two source rows around it.
 *
 * As a product of matrices, which is several times faster than to pick rows and mix them.
 */
function verticallyResized(
  source: RowSource,
  place: (row: number) => number,
  from: number,
  to: number,
): Tensor {
  const last = source.size[0] - 1;
  const positions = Array.from({ length: to - from }, (_, i) => Math.min(last, Math.max(0, place(from + i))));
  const first = Math.floor(positions[0]!);
  const end = Math.min(last, Math.floor(positions.at(-1)!) + 1) + 1;
  const mixture = new Float64Array(positions.length * (end - first));
  for (const [i, position] of positions.entries()) {
    const upper = Math.floor(position);
    const start = i * (end - first) + upper - first;
    mixture[start]! += 1 - (position - upper);
    if (upper < last) mixture[start + 1]! += position - upper;
  }
  const part = source.rows(first, end);
  return fromTypedArray(mixture, [positions.length, end - first])
    .to(part.device, part.dtype)
    .matmul(part);
}

/** Changes each band by a function that works pixel by pixel, or along rows. */
export function mappedRows(source: RowSource, change: (rows: Tensor) => Tensor): RowSource {
  return {
    ...source,
    rowBytes: source.rowBytes + 2 * ownBytes(source),
    rows: (from, to) => tidy(() => change(source.rows(from, to))),
  };
}

/** Sums maps of one size. */
export function summedRows(sources: readonly RowSource[]): RowSource {
  const [first, ...rest] = sources as [RowSource, ...RowSource[]];
  return {
    ...first,
    rowBytes: Math.max(...sources.map(({ rowBytes }) => rowBytes)) + 2 * ownBytes(first),
    rows: (from, to) =>
      tidy(() => {
        let sum = first.rows(from, to);
        // Term by term, so that one view at a time is in memory. The first rows may belong to their source.
        for (const [i, source] of rest.entries()) sum = tidy(() => addTo(sum, source.rows(from, to), i > 0));
        return sum;
      }),
  };
}

function addTo(sum: Tensor, term: Tensor, isOurs: boolean): Tensor {
  return isOurs ? sum.add_(term) : sum.add(term);
}

/** A map and where its upper left corner lies in a larger one. */
export interface Placed {
  readonly top: number;
  readonly left: number;
  readonly source: RowSource;
}

/** Joins overlapping maps to one of `size`, with the mean where several lie. Together they must cover it. */
export function mosaicRows(parts: readonly Placed[], size: Size): RowSource {
  const { source } = parts[0] as Placed;
  const widest = Math.max(...parts.map((part) => part.source.rowBytes));
  return {
    ...source,
    size,
    // One part at a time, beside the whole row.
    rowBytes: widest + ownBytes(source) * (1 + size[1] / source.size[1]),
    rows: (from, to) => tidy(() => joinedRows(parts, size[1], from, to)),
  };
}

function joinedRows(parts: readonly Placed[], width: number, from: number, to: number): Tensor {
  const touching = parts.filter(({ top, source }) => top < to && top + source.size[0] > from);
  const { images, classes } = (touching[0] as Placed).source;
  let sum: Tensor | undefined;
  const count = new Float64Array((to - from) * width);
  for (const { top, left, source } of touching) {
    const [start, end] = [Math.max(from, top), Math.min(to, top + source.size[0])];
    tidy(() => {
      const part = source.rows(start - top, end - top);
      sum ??= part.newZeros([images, classes, to - from, width]);
      sum
        .narrow(2, start - from, end - start)
        .narrow(3, left, source.size[1])
        .add_(part);
      return sum;
    });
    for (let row = start - from; row < end - from; row++)
      for (let column = left; column < left + source.size[1]; column++) count[row * width + column]! += 1;
  }
  const total = sum as Tensor;
  return total.div_(fromTypedArray(count, [1, 1, to - from, width]).to(total.device, total.dtype));
}
