import type { NativeObject } from "../native/binding.ts";
import { door } from "../native/load.ts";
import type { Parameter } from "../tensor.ts";
import type { ProcessGroup } from "./process-group.ts";

/**
 * Averages gradients over processes while the backward pass runs: c10d's Reducer, what PyTorch's DistributedDataParallel
 * is made of.
 *
 * Every parameter must take part in every reduced backward pass, on every process.
 */
export class Reducer {
  readonly #native: NativeObject;

  /** @param parameters - In the order of their use; the same on every process. */
  constructor(group: ProcessGroup, parameters: Iterable<Parameter>) {
    const handles = [...parameters].map((parameter) => parameter.handle);
    this.#native = door.createReducer(group.native, handles);
  }

  /**
   * Makes the next backward pass leave averaged gradients. Without this call a backward pass stays local, which is how
   * gradients of several batches are accumulated before the last one is reduced.
   */
  prepareForBackward(): void {
    door.prepareForBackward(this.#native);
  }
}
