import type { Batch } from "./batch.ts";
import type { Loader } from "./loader.ts";

/** A loader in whose place another may go on, where what is loaded changes in the middle of a training. */
export class ReplaceableLoader implements Pick<Loader, "next">, AsyncDisposable {
  #current: Loader;

  constructor(first: Loader) {
    this.#current = first;
  }

  next(): Promise<Batch | undefined> {
    return this.#current.next();
  }

  /** Ends the loader, with the batches that it prepared, and goes on with another one. */
  async replace(next: Loader): Promise<void> {
    await this.#current.dispose();
    this.#current = next;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#current.dispose();
  }
}
