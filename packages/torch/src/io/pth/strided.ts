import { BYTES_PER_ELEMENT } from "../raw-tensor.ts";

type Words = Uint8Array | Uint16Array | Uint32Array | BigUint64Array;
type WordsOf = new (buffer: ArrayBufferLike, byteOffset: number, length: number) => Words;

const WORDS: Readonly<Record<number, WordsOf>> = {
  1: Uint8Array,
  2: Uint16Array,
  4: Uint32Array,
  8: BigUint64Array,
};

/** A view of a storage: element (i, j, ...) lies at `offset + i*stride[0] + j*stride[1] + ...`, in elements. */
export interface StridedView {
  readonly dtype: keyof typeof BYTES_PER_ELEMENT;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
  readonly offset: number;
}

/** Elements a storage must have for the view, `Infinity` if that cannot be counted. */
export function extentOf({ shape, stride, offset }: StridedView): number {
  if (shape.includes(0)) return 0;
  let last = offset;
  for (const [axis, size] of shape.entries()) last += (size - 1) * stride[axis]!;
  return Number.isSafeInteger(last) ? last + 1 : Number.POSITIVE_INFINITY;
}

/** Tells whether the view's elements lie in row-major order without gaps. */
export function isContiguous({ shape, stride }: StridedView): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && stride[axis] !== expected) return shape.includes(0);
    expected *= shape[axis]!;
  }
  return true;
}

/** Copies a view into row-major order. Both the view and the size of the result must have been checked. */
export function copyStrided(storage: Uint8Array, view: StridedView, byteLength: number): Uint8Array {
  const size = BYTES_PER_ELEMENT[view.dtype];
  const WordArray = WORDS[size]!;
  const result = new Uint8Array(byteLength);
  const source = new WordArray(storage.buffer, storage.byteOffset, Math.floor(storage.byteLength / size));
  const target = new WordArray(result.buffer, 0, byteLength / size);
  copyRows(source, target, view);
  return result;
}

/** Walks the outer axes like an odometer and copies the innermost axis in a plain loop. */
function copyRows(source: Words, target: Words, { shape, stride, offset }: StridedView): void {
  const inner = shape.length - 1;
  const [length, step] = [shape[inner]!, stride[inner]!];
  const index = new Array<number>(inner).fill(0);
  let from = offset;
  for (let at = 0; at < target.length; ) {
    for (let i = 0; i < length; i++) target[at++] = source[from + i * step]!;
    for (let axis = inner - 1; axis >= 0; axis--) {
      from += stride[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= shape[axis]! * stride[axis]!;
      index[axis] = 0;
    }
  }
}
