/**
 * Asynchronous work that trails behind a loop: while an item is written, the loop computes the next. One at a time, in order.
 *
 *     await using trailing = new Trailing();
 *     for (const item of items) await trailing.start(() => write(item));
 *     await trailing.end();
 */
export class Trailing implements AsyncDisposable {
  #last: Promise<void> = Promise.resolve();

  /**
   * Begins a function, and waits only for the end of the one before.
   *
   * @throws What the one before threw; this one is then not begun.
   */
  async start(run: () => Promise<void>): Promise<void> {
    await this.#last;
    this.#last = run();
    this.#last.catch(() => {}); // thrown where it is awaited
  }

  /** Waits for the last. @throws What it threw. */
  end(): Promise<void> {
    return this.#last;
  }

  /** Waits for the last and throws nothing: what the loop threw comes first, and nothing goes on behind it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([this.#last]);
  }
}
