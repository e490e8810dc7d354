import { withInputFile } from "./input-file.ts";
import type { RawTensor } from "./raw-tensor.ts";
import { parseSafetensorsHeader } from "./safetensors-header.ts";

/** The tensors of a safetensors file, in the order of their bytes, and its free text. */
export interface SafetensorsFile {
  readonly tensors: Map<string, RawTensor>;
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Reads a safetensors file into memory, each tensor into a buffer of its own.
 *
 * To map it instead of reading it, take the offsets of {@link readSafetensorsHeader}.
 *
 * @throws {FileFormatError} If the file breaks the format in any way.
 * @throws {FileAccessError} If it cannot be read.
 */
export function readSafetensors(path: string): SafetensorsFile {
  return withInputFile("readSafetensors", path, (file) => {
    const { entries, metadata } = parseSafetensorsHeader(file);
    const tensors = new Map<string, RawTensor>();
    for (const { name, dtype, shape, offset, byteLength } of entries) {
      tensors.set(name, { dtype, shape, data: file.read(offset, byteLength) });
    }
    return { tensors, metadata };
  });
}
