export { type ByteSink, writeFileAtomically } from "./atomic-write.ts";
export { FileAccessError, FileFormatError } from "./file-errors.ts";
export { InertObject } from "./pickle/values.ts";
export type { PthValue } from "./pth/tree.ts";
export type { ReadPthOptions } from "./pth/unpickle.ts";
export {
  BYTES_PER_ELEMENT,
  byteLengthOf,
  type DTypeName,
  isRawTensor,
  type RawTensor,
} from "./raw-tensor.ts";
export { readPth } from "./read-pth.ts";
export {
  readSafetensorsHeader,
  type SafetensorsEntry,
  type SafetensorsHeader,
} from "./safetensors-header.ts";
export { readSafetensors, type SafetensorsFile } from "./safetensors-read.ts";
export { type TensorSource, writeSafetensors } from "./safetensors-write.ts";
export { stateDictOf } from "./state-dict-of.ts";
export { writePth } from "./write-pth.ts";
