import { type DType, noGrad, type Tensor, tidy } from "@armseg/torch";
import { TensorProto_DataType as DataType } from "./generated/onnx_pb.ts";

/** A constant of a graph whose bytes are made when they are written: a model's weights never exist twice. */
export interface Initializer {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dataType: DataType;
  readonly byteLength: number;
  /** Little-endian, row-major. */
  bytes(): Uint8Array;
}

/** ONNX's types of what a graph here holds, and the bytes of an element. */
const TYPES: Partial<Record<DType, { readonly dataType: DataType; readonly size: number }>> = {
  float32: { dataType: DataType.FLOAT, size: 4 },
  float16: { dataType: DataType.FLOAT16, size: 2 },
  int64: { dataType: DataType.INT64, size: 8 },
  int8: { dataType: DataType.INT8, size: 1 },
};

/** @param make - Returns the tensor, of this shape; it is converted, read and freed. */
export function tensorInitializer(
  name: string,
  dims: readonly number[],
  dtype: DType,
  make: () => Tensor,
): Initializer {
  const type = TYPES[dtype];
  if (!type)
    throw new TypeError(`tensorInitializer(): expected float32, float16, int64 or int8, got ${dtype}`);
  return {
    name,
    dims,
    dataType: type.dataType,
    byteLength: dims.reduce((product, size) => product * size, type.size),
    bytes: () => noGrad(() => bytesOf(make(), dtype)),
  };
}

function bytesOf(tensor: Tensor, dtype: DType): Uint8Array {
  return tidy(() => {
    const dense = tensor.to("cpu", dtype).contiguous({ memoryFormat: "contiguous" });
    // Half precision has no typed array of its own; its bits are those of an integer.
    const { buffer, byteOffset, byteLength } = dense.asTypedArray().slice();
    return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
  });
}

/** Makes an initializer of whole numbers: a shape, axes, a position. */
export function integerInitializer(
  name: string,
  values: readonly number[],
  dims = [values.length],
): Initializer {
  const data = BigInt64Array.from(values, BigInt);
  return {
    name,
    dims,
    dataType: DataType.INT64,
    byteLength: data.byteLength,
    bytes: () => new Uint8Array(data.buffer),
  };
}

/** Makes an initializer of float32 numbers. */
export function floatInitializer(
  name: string,
  values: readonly number[],
  dims: readonly number[],
): Initializer {
  const data = Float32Array.from(values);
  return {
    name,
    dims,
    dataType: DataType.FLOAT,
    byteLength: data.byteLength,
    bytes: () => new Uint8Array(data.buffer),
  };
}
