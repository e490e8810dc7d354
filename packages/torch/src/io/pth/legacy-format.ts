import type { InputFile } from "../input-file.ts";
import { ByteSource } from "../pickle/byte-source.ts";
import { MAX_PICKLE_BYTES } from "../pickle/machine.ts";
import { brief } from "../pickle/values.ts";
import { BYTES_PER_ELEMENT, type DTypeName } from "../raw-tensor.ts";
import { ByteBudget } from "./byte-budget.ts";
import type { Storage } from "./storage.ts";
import { TensorTable } from "./tensor-table.ts";
import type { PthValue } from "./tree.ts";
import { type ReadPthOptions, unpicklePlain, unpickleTorch } from "./unpickle.ts";

/** `MAGIC_NUMBER` and `PROTOCOL_VERSION` of PyTorch's `serialization.py`. */
const MAGIC_NUMBER = 0x1950a86a20f9469cfc6cn;
const PROTOCOL_VERSION = 1001;

/** Before each storage: its element count, as a 64-bit integer. */
const COUNT_BYTES = 8;
const DAMAGED = "the file is truncated or damaged: fetch it again";

interface Range {
  readonly offset: number;
  readonly length: number;
}

/**
 * Reads the format of torch.save() before PyTorch 1.6: pickles of a magic number, a version, facts of the machine, the
 * value and the list of storage keys; then each storage as a 64-bit element count and its bytes.
 */
export function readLegacyFormat(file: InputFile, options: ReadPthOptions): PthValue {
  const read = (offset: number, length: number) => file.read(offset, length);
  const source = new ByteSource(read, 0, Math.min(file.size, MAX_PICKLE_BYTES), file.error);
  checkPreamble(file, source);
  const tensors = new TensorTable(file.error);
  const dtypes = new Map<string, DTypeName>();
  const tree = unpickleTorch(source, tensors, (storage) => noteDType(file, dtypes, storage), options);
  const keys = unpicklePlain(source);
  const ranges = locateStorages(file, keys, source.position, dtypes);
  tensors.fill((key) => readStorage(file, key, ranges), new ByteBudget(file.size, file.error));
  return tree;
}

function checkPreamble(file: InputFile, source: ByteSource): void {
  if (unpicklePlain(source) !== MAGIC_NUMBER) {
    throw file.error(
      "expected a file of torch.save(), got another pickle",
      "save the state dict with torch.save()",
    );
  }
  const version = unpicklePlain(source);
  if (version !== PROTOCOL_VERSION) {
    throw file.error(`expected protocol version ${PROTOCOL_VERSION}, got ${brief(version)}`, DAMAGED);
  }
  const machine = unpicklePlain(source);
  if (!(machine instanceof Map) || machine.get("little_endian") !== true) {
    throw file.error("expected a file of a little-endian machine", "save it on such a machine");
  }
}

/** The element size, which only the pickle knows, tells how many bytes a storage has. */
function noteDType(file: InputFile, dtypes: Map<string, DTypeName>, { key, dtype }: Storage): void {
  const known = dtypes.get(key) ?? dtype;
  if (known !== dtype) throw file.error(`storage ${key} is both ${known} and ${dtype}`, DAMAGED);
  dtypes.set(key, dtype);
}

/** Steps from storage to storage, reading the counts alone. */
function locateStorages(
  file: InputFile,
  keys: PthValue,
  start: number,
  dtypes: ReadonlyMap<string, DTypeName>,
): Map<string, Range> {
  if (!Array.isArray(keys)) throw file.error("expected the list of storages behind the pickle", DAMAGED);
  const ranges = new Map<string, Range>();
  let position = start;
  for (const key of keys) {
    const dtype = typeof key === "string" && !ranges.has(key) ? dtypes.get(key) : undefined;
    if (dtype === undefined) throw file.error("the list of storages and the pickle disagree", DAMAGED);
    const prefix = file.read(position, COUNT_BYTES);
    const count = new DataView(prefix.buffer).getBigUint64(0, true);
    const range = { offset: position + COUNT_BYTES, length: Number(count) * BYTES_PER_ELEMENT[dtype] };
    position = range.offset + range.length;
    if (position > file.size)
      throw file.error(`storage ${key} has ${count} elements, more than the file holds`, DAMAGED);
    ranges.set(key as string, range);
  }
  return ranges;
}

function readStorage(file: InputFile, key: string, ranges: ReadonlyMap<string, Range>): Uint8Array {
  const range = ranges.get(key);
  if (range === undefined) throw file.error(`expected storage ${key} behind the pickle, got none`, DAMAGED);
  return file.read(range.offset, range.length);
}
