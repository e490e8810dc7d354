import type { DTypeName } from "../raw-tensor.ts";

/** PyTorch's classes of storages, in module `torch`, and the dtype of each. */
export const STORAGE_TYPES: Readonly<Record<string, DTypeName>> = {
  DoubleStorage: "float64",
  FloatStorage: "float32",
  HalfStorage: "float16",
  BFloat16Storage: "bfloat16",
  LongStorage: "int64",
  IntStorage: "int32",
  ShortStorage: "int16",
  CharStorage: "int8",
  ByteStorage: "uint8",
  BoolStorage: "bool",
};
