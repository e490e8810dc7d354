/** Bytes of one element of each data type that tensor files may hold here, under PyTorch's names. */
export const BYTES_PER_ELEMENT = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
} as const;

/** Name of a data type, as PyTorch spells it without `torch.`. */
export type DTypeName = keyof typeof BYTES_PER_ELEMENT;

/** A tensor as files know it: no device, no gradient, no libtorch. */
export interface RawTensor {
  readonly dtype: DTypeName;
  readonly shape: readonly number[];
  /**
   * Exactly the tensor's bytes: little-endian, contiguous, row-major. Tensors read from one storage may share a
   * buffer; `data.byteOffset` is then a multiple of the element size.
   */
  readonly data: Uint8Array;
}

/** libtorch itself has no bound, but nothing real comes near it and hostile files do. */
export const MAX_RANK = 64;

/**
 * Counts the bytes of a contiguous tensor: product of the shape times the size of an element.
 *
 * @returns `undefined` where the shape is no shape: negative or fractional sizes, more than 64 dimensions, or a
 * product that cannot be counted exactly. Sizes beside a 0 must stay countable too, since strides are made of them.
 */
export function byteLengthOf(dtype: DTypeName, shape: readonly number[]): number | undefined {
  if (shape.length > MAX_RANK) return undefined;
  let bytes: number = BYTES_PER_ELEMENT[dtype];
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) return undefined;
    bytes *= Math.max(size, 1);
    if (!Number.isSafeInteger(bytes)) return undefined;
  }
  return shape.includes(0) ? 0 : bytes;
}

/** Tells whether a value found in a tree of {@link readPth} is a tensor. */
export function isRawTensor(value: unknown): value is RawTensor {
  if (typeof value !== "object" || value === null) return false;
  return "dtype" in value && "shape" in value && "data" in value;
}
