import type { MakeError } from "../file-errors.ts";
import { kindOf } from "../pickle/values.ts";
import type { DTypeName, RawTensor } from "../raw-tensor.ts";
import { BYTES_PER_ELEMENT, byteLengthOf, MAX_RANK } from "../raw-tensor.ts";
import type { ByteBudget } from "./byte-budget.ts";
import { Storage } from "./storage.ts";
import type { StridedView } from "./strided.ts";
import { copyStrided, extentOf, isContiguous } from "./strided.ts";

/** The whole bytes of a storage, from its byte 0 in an aligned buffer. */
export type LoadStorage = (key: string) => Uint8Array;

/** A tensor of the tree, whose bytes are put in once the pickle has been read to its end. */
class PendingTensor implements RawTensor {
  readonly dtype: DTypeName;
  readonly shape: readonly number[];
  data: Uint8Array = new Uint8Array(0);

  constructor(dtype: DTypeName, shape: readonly number[]) {
    this.dtype = dtype;
    this.shape = shape;
  }
}

interface Pending {
  readonly tensor: PendingTensor;
  readonly storage: Storage;
  readonly view: StridedView;
  readonly byteLength: number;
}

/**
 * The tensors a pickle asks for. Their storages are read afterwards, each once, since the older format keeps them
 * behind the pickle, and since nothing should be read for a file that turns out to be refused.
 */
export class TensorTable {
  readonly #pending = new Map<string, Pending[]>();
  readonly #error: MakeError;

  constructor(error: MakeError) {
    this.#error = error;
  }

  /** Stands for `torch._utils._rebuild_tensor(storage, offset, size, stride)`. */
  rebuild(storage: unknown, offset: unknown, shape: unknown, stride: unknown, dtype?: DTypeName): RawTensor {
    if (!(storage instanceof Storage) || !isCounts([offset]) || !isCounts(shape) || !isCounts(stride)) {
      throw this.#error(
        `expected a tensor of storage, offset, size and stride, got ${kindOf(storage)} and others`,
      );
    }
    const view = { dtype: dtype ?? storage.dtype, shape, stride, offset: offset as number };
    const byteLength = byteLengthOf(view.dtype, shape);
    const elementSize = BYTES_PER_ELEMENT[view.dtype];
    const fits = shape.length === stride.length && extentOf(view) * elementSize <= storage.byteLength;
    if (byteLength === undefined || !fits || storage.viewOffset % elementSize !== 0) {
      throw this.#error(`${describe(view)} does not fit into its storage of ${storage.byteLength} bytes`);
    }
    const tensor = new PendingTensor(view.dtype, shape);
    const waiting = this.#pending.get(storage.key) ?? [];
    waiting.push({ tensor, storage, view, byteLength });
    this.#pending.set(storage.key, waiting);
    return tensor;
  }

  /** Reads every storage asked for and puts the bytes into the tensors. */
  fill(load: LoadStorage, budget: ByteBudget): void {
    for (const [key, waiting] of this.#pending) {
      const bytes = load(key);
      for (const pending of waiting) pending.tensor.data = this.#slice(bytes, pending, budget);
    }
  }

  #slice(bytes: Uint8Array, { storage, view, byteLength }: Pending, budget: ByteBudget): Uint8Array {
    if (byteLength === 0) return new Uint8Array(0);
    if (storage.viewOffset + storage.byteLength > bytes.length) {
      const needed = storage.viewOffset + storage.byteLength;
      throw this.#error(
        `storage ${storage.key}: expected ${needed} bytes, got ${bytes.length}`,
        "fetch the file again",
      );
    }
    const start = storage.viewOffset + view.offset * BYTES_PER_ELEMENT[view.dtype];
    if (isContiguous(view)) return bytes.subarray(start, start + byteLength);
    budget.charge(byteLength, describe(view));
    return copyStrided(bytes.subarray(storage.viewOffset), view, byteLength);
  }
}

function isCounts(values: unknown): values is number[] {
  const isShort = Array.isArray(values) && values.length <= MAX_RANK;
  return isShort && values.every((value) => Number.isSafeInteger(value) && value >= 0);
}

function describe({ dtype, shape, stride, offset }: StridedView): string {
  const list = (values: readonly number[]) =>
    `[${values.slice(0, 8).join(", ")}${values.length > 8 ? ", ..." : ""}]`;
  return `a ${dtype} tensor of size ${list(shape)}, stride ${list(stride)}, offset ${offset}`;
}
