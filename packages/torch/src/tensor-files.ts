import { closeSync, openSync, readSync, statSync } from "node:fs";

import { noGrad } from "./autograd.ts";
import type { DTypeName, RawTensor } from "./io/index.ts";
import {
  readPth,
  readSafetensorsHeader,
  type SafetensorsEntry,
  stateDictOf,
  type TensorSource,
  writeSafetensors,
} from "./io/index.ts";
import { binding } from "./native/load.ts";
import { tidy } from "./scope.ts";
import { ops, Tensor } from "./tensor.ts";

/** Named tensors of a file, with the free text that came with them. */
export interface TensorFile {
  readonly tensors: Map<string, Tensor>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** A tensor on the bytes of the mapped file; misaligned ones, which other writers may leave, are copied first. */
function viewEntry(bytes: Tensor, entry: SafetensorsEntry): Tensor {
  if (entry.byteLength === 0) return ops.empty(entry.shape, { dtype: entry.dtype });
  const slice = bytes.narrow(0, entry.offset, entry.byteLength);
  const elements = entry.shape.reduce((product, size) => product * size, 1);
  const aligned = entry.offset % (entry.byteLength / elements) === 0 ? slice : slice.clone();
  return aligned.view(entry.dtype).view(entry.shape);
}

/**
 * Maps a safetensors file into memory: nothing is read until it is used.
 *
 * Changing such a tensor changes memory only, never the file. The file must stay as it is while they live.
 *
 * @throws {FileFormatError} If the file breaks the format in any way.
 */
export function loadSafetensors(path: string): TensorFile {
  const { entries, metadata, fileSize } = readSafetensorsHeader(path);
  const tensors = tidy(() => {
    const bytes = ops.fromFile(path, false, fileSize, { dtype: "uint8" });
    return new Map(entries.map((entry) => [entry.name, viewEntry(bytes, entry)]));
  });
  return { tensors, metadata };
}

/** Returns the bytes of a tensor, on the CPU and dense, without a copy where it is so already. */
function bytesOf(tensor: Tensor): Uint8Array {
  return noGrad(() => {
    const dense = tensor.detach().to("cpu", tensor.dtype).contiguous();
    return new Uint8Array(binding.toBuffer(dense.handle));
  });
}

/**
 * Writes named tensors to a safetensors file, atomically: the path holds the old file or the whole new one.
 *
 * @param metadata - Free text kept beside the tensors.
 * @throws {FileAccessError} If the file cannot be written (disk full, folder missing); an old file is untouched.
 */
export function saveSafetensors(
  path: string,
  tensors: Iterable<readonly [string, Tensor]>,
  metadata: Iterable<readonly [string, string]> = [],
): void {
  const sources = Array.from(tensors, ([name, tensor]): [string, TensorSource] => [
    name,
    { dtype: tensor.dtype as DTypeName, shape: tensor.shape, data: () => bytesOf(tensor) },
  ]);
  writeSafetensors(path, sources, metadata);
}

/** Makes a tensor with the bytes of one that was read from a file, without a copy. */
export function tensorOfRaw(raw: RawTensor): Tensor {
  return new Tensor(binding.fromView(raw.data, raw.shape, raw.dtype));
}

function isZipOrPickle(path: string): boolean {
  const start = new Uint8Array(9);
  const file = openSync(path, "r");
  try {
    readSync(file, start);
  } finally {
    closeSync(file);
  }
  // A safetensors header of 640 bytes, say, has a length that begins as a pickle does; but its upper bytes are 0 and { follows.
  if (start[8] === 0x7b && start.subarray(5, 8).every((byte) => byte === 0)) return false;
  const isZip = start[0] === 0x50 && start[1] === 0x4b;
  return isZip || start[0] === 0x80; // the opcode that every pickle of protocol 2 and later begins with
}

/**
 * The named tensors of a checkpoint file: safetensors, or PyTorch's `.pth` in either of its formats, told apart by content.
 *
 * A `.pth` file is read without executing anything in it; of `{ state_dict: ... }` and the like the inner part is taken.
 *
 * @throws {FileFormatError} If the file is neither, or broken, or holds what no state dict needs.
 */
export function loadTensors(path: string): Map<string, Tensor> {
  if (!statSync(path).isFile()) throw new TypeError(`loadTensors(): expected a file, got the folder ${path}`);
  if (!isZipOrPickle(path)) return loadSafetensors(path).tensors;
  const raw = stateDictOf(readPth(path));
  return new Map([...raw].map(([name, tensor]) => [name, tensorOfRaw(tensor)]));
}
