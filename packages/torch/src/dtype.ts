/** Element types, by PyTorch's names. */
export type DType =
  | "uint8"
  | "int8"
  | "int16"
  | "int32"
  | "int64"
  | "float16"
  | "bfloat16"
  | "float32"
  | "float64"
  | "bool"
  | "complex32"
  | "complex64"
  | "complex128"
  | "qint8"
  | "quint8"
  | "qint32";

/** `cpu`, `cuda`, `cuda:1`, `mps`. */
export type Device = "cpu" | "cuda" | "mps" | "meta" | (string & {});

/** How the elements of a tensor lie in memory. */
export type MemoryFormat = "contiguous" | "preserve" | "channels_last" | "channels_last_3d";

export type Layout = "strided" | "sparse_coo" | "sparse_csr" | "mkldnn";

/** Typed arrays whose elements are a dtype's elements; float16 and bfloat16 have none in Node 20. */
export type TypedArray =
  | Uint8Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array
  | Uint16Array;

type TypedArrayConstructor = {
  new (buffer: ArrayBuffer, byteOffset?: number, length?: number): TypedArray;
  readonly BYTES_PER_ELEMENT: number;
};

const ARRAYS: Partial<Record<DType, TypedArrayConstructor>> = {
  uint8: Uint8Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  float32: Float32Array,
  float64: Float64Array,
  bool: Uint8Array,
  // Half precision as its bits.
  float16: Uint16Array,
  bfloat16: Uint16Array,
};

/** Returns the typed array whose elements have the size of `dtype`'s. */
export function typedArrayOf(dtype: DType): TypedArrayConstructor {
  const arrays = ARRAYS[dtype];
  if (!arrays)
    throw new TypeError(
      `typedArrayOf(): expected a dtype with a typed array, got ${dtype}; convert with .to() first`,
    );
  return arrays;
}

/** Returns the dtype that a typed array's elements have as a tensor. */
export function dtypeOfTypedArray(array: TypedArray): DType {
  if (array instanceof Float32Array) return "float32";
  if (array instanceof Float64Array) return "float64";
  if (array instanceof Uint8Array) return "uint8";
  if (array instanceof Int8Array) return "int8";
  if (array instanceof Int16Array) return "int16";
  if (array instanceof Int32Array) return "int32";
  if (array instanceof BigInt64Array) return "int64";
  throw new TypeError(
    `tensor(): expected a typed array with a dtype of its own, got ${(array as object).constructor.name}; name the dtype`,
  );
}
