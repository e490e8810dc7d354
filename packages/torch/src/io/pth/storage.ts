import type { MakeError } from "../file-errors.ts";
import { brief } from "../pickle/values.ts";
import type { DTypeName } from "../raw-tensor.ts";
import { BYTES_PER_ELEMENT } from "../raw-tensor.ts";

/** PyTorch numbers storages, or names them after an address in memory. */
const MAX_KEY_LENGTH = 64;

/** A class of PyTorch's storages, such as `torch.FloatStorage`: an element type and nothing else. */
export class StorageType {
  readonly dtype: DTypeName;

  constructor(dtype: DTypeName) {
    this.dtype = dtype;
  }
}

/** The bytes behind one or more tensors, named by the pickle before they are read. */
export class Storage {
  readonly key: string;
  readonly dtype: DTypeName;
  /** Where this view of the storage begins: only files of PyTorch before 0.4 have views. */
  readonly viewOffset: number;
  readonly byteLength: number;

  constructor(key: string, dtype: DTypeName, viewOffset: number, byteLength: number) {
    this.key = key;
    this.dtype = dtype;
    this.viewOffset = viewOffset;
    this.byteLength = byteLength;
  }
}

/**
 * Reads `("storage", type, key, location, element count[, view])`, as both formats write it.
 *
 * The location ("cuda:0") is passed over: everything is read into main memory.
 */
export function parseStorage(id: unknown, error: MakeError): Storage {
  const [tag, type, key, , count, view] = Array.isArray(id) ? id : [];
  if (tag === "module") {
    throw error("refuses a whole pickled module", "save its state_dict() instead of the module");
  }
  if (
    tag !== "storage" ||
    !(type instanceof StorageType) ||
    typeof key !== "string" ||
    key.length > MAX_KEY_LENGTH
  ) {
    throw error("expected the description of a storage in the pickle", "fetch the file again");
  }
  const size = BYTES_PER_ELEMENT[type.dtype];
  const [first, length] = view == null ? [0, count] : viewOf(view);
  if (!isCount(first, size) || !isCount(length, size) || !isCount(count, size) || first + length > count) {
    throw error(`storage ${key}: expected a possible size, got ${brief(count)} elements`);
  }
  return new Storage(key, type.dtype, first * size, length * size);
}

/** `(key of the view, first element, element count)`. */
function viewOf(view: unknown): unknown[] {
  return Array.isArray(view) && view.length === 3 ? view.slice(1) : [];
}

function isCount(value: unknown, elementSize: number): value is number {
  return (
    Number.isSafeInteger(value) &&
    (value as number) >= 0 &&
    Number.isSafeInteger((value as number) * elementSize)
  );
}
