import { createHash } from "node:crypto";
import { closeSync, openSync, readSync, statSync } from "node:fs";

import { noGrad } from "./autograd.ts";
import type { DTypeName, RawTensor } from "./io/index.ts";
import { readPth, readSafetensors, stateDictOf, writePth, writeSafetensors } from "./io/index.ts";
import { binding } from "./native/load.ts";
import { Tensor } from "./tensor.ts";

/** Named tensors of a file, with the free text that came with them. */
export interface TensorFile {
  readonly tensors: Map<string, Tensor>;
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Reads a safetensors file, each tensor into memory of its own. The file may change or go afterwards; it is not mapped, since
 * whoever cuts a mapped file short ends every process that reads on.
 *
 * @throws {FileFormatError} If the file breaks the format in any way.
 * @throws {FileAccessError} If it cannot be read.
 */
export function loadSafetensors(path: string): TensorFile {
  const { tensors, metadata } = readSafetensors(path);
  return { tensors: new Map([...tensors].map(([name, raw]) => [name, onBytesOf(raw)])), metadata };
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
  writeSafetensors(path, sourcesOf(tensors), metadata);
}

function sourcesOf(tensors: Iterable<readonly [string, Tensor]>) {
  return Array.from(tensors, ([name, tensor]) => {
    const dtype = tensor.dtype as DTypeName;
    return [name, { dtype, shape: tensor.shape, data: () => bytesOf(tensor) }] as const;
  });
}

/**
 * Writes named tensors to a `.pth` file as `torch.save` does, atomically: `torch.load(path, weights_only=True)` reads it.
 *
 * @throws {FileAccessError} If the file cannot be written; an old file is untouched.
 */
export function savePth(path: string, tensors: Iterable<readonly [string, Tensor]>): Promise<void> {
  return writePth(path, sourcesOf(tensors));
}

/**
 * Returns the SHA-256 of named tensors and a text, as 64 hexadecimal digits. Names, dtypes, shapes and bytes count, in the order
 * of the names; where and how the tensors lie in memory does not.
 *
 * @param text - What else it is to cover, such as the metadata of a file.
 */
export function checksum(tensors: ReadonlyMap<string, Tensor>, text = ""): string {
  const hash = createHash("sha256").update(JSON.stringify(text));
  for (const name of [...tensors.keys()].sort()) {
    const tensor = tensors.get(name) as Tensor;
    hash.update(JSON.stringify([name, tensor.dtype, tensor.shape])).update(bytesOf(tensor));
  }
  return hash.digest("hex");
}

/** Makes a tensor with a copy of the bytes of one that was read from a file. */
export function tensorOfRaw({ data, shape, dtype }: RawTensor): Tensor {
  return onBytesOf({ data: data.slice(), shape, dtype });
}

/** A tensor on the bytes of one that was read from a file, and that nobody else has. */
function onBytesOf({ data, shape, dtype }: RawTensor): Tensor {
  return new Tensor(binding.fromView(data, shape, dtype));
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
  return new Map([...raw].map(([name, tensor]) => [name, onBytesOf(tensor)]));
}
