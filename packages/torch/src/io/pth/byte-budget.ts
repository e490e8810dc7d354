import type { MakeError } from "../file-errors.ts";

const FREE_BYTES = 64 * 2 ** 20;
const GROWTH = 16;

/**
 * Bounds what a small file may make of itself: inflated entries, and views copied out of shared storages.
 *
 * A file of n bytes may grow to 64 MiB + 16 n. Real weights hardly compress and are hardly ever expanded views, so
 * only a bomb meets the bound.
 */
export class ByteBudget {
  readonly #error: MakeError;
  readonly #limit: number;
  #used = 0;

  constructor(fileSize: number, error: MakeError) {
    this.#error = error;
    this.#limit = FREE_BYTES + GROWTH * fileSize;
  }

  charge(bytes: number, what: string): void {
    this.#used += bytes;
    if (this.#used > this.#limit) {
      const got = `${this.#used} bytes or more with ${what}`;
      throw this.#error(
        `expected at most ${this.#limit} bytes in memory from a file of this size, got ${got}`,
        "save it again with torch.save() from contiguous tensors",
      );
    }
  }
}
