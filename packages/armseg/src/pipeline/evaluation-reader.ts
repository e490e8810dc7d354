import { availableParallelism } from "node:os";
import type { Sample } from "../data/sample.ts";
import type { NormaliseOptions } from "./normalise.ts";
import { createPool, type Pool } from "./pool.ts";
import type { EvaluationResult } from "./task.ts";
import type { Size } from "./window.ts";

export interface EvaluationReaderOptions {
  readonly samples: readonly Sample[];
  readonly normalise: NormaliseOptions;
  /** What each image is fitted into, keeping its aspect ratio: `[height, width]`, e.g. [1024, 2048]; `null` leaves it as it is. */
  readonly base: Size | null;
  /** Worker threads; 0 reads in this thread. Default: processors less one, at least 1. */
  readonly workers?: number;
  /** Images read ahead of the one asked for; bounds the memory. Default 4. */
  readonly prefetch?: number;
  /** Default 120. */
  readonly stallSeconds?: number;
}

/** A whole image as a network is fed it, with its label as it lies on disk. */
export interface EvaluationImage extends EvaluationResult {
  /** Index among the samples. */
  readonly index: number;
  readonly sample: Sample;
}

/** Whole images in the order of the samples; `await using` ends its threads. */
export interface EvaluationReader extends AsyncDisposable, AsyncIterable<EvaluationImage> {
  /**
   * Returns the next image, `undefined` after the last.
   *
   * @throws {DataError} If a file cannot be read: nothing is ever left out of an evaluation.
   */
  next(): Promise<EvaluationImage | undefined>;
}

/** Reads the images of an evaluation ahead of their use. The memory of an image is its own and may be kept. */
export function createEvaluationReader(options: EvaluationReaderOptions): EvaluationReader {
  return new PrefetchingReader(options);
}

class PrefetchingReader implements EvaluationReader {
  readonly #options: EvaluationReaderOptions;
  readonly #pool: Pool;
  readonly #pending: Promise<EvaluationImage>[] = [];
  #index = 0;

  constructor(options: EvaluationReaderOptions) {
    this.#options = options;
    this.#pool = createPool({
      workers: options.workers ?? Math.max(1, availableParallelism() - 1),
      stallSeconds: options.stallSeconds ?? 120,
    });
  }

  async next(): Promise<EvaluationImage | undefined> {
    const { samples, prefetch = 4 } = this.#options;
    while (this.#pending.length <= prefetch && this.#index < samples.length) this.#start(this.#index++);
    return this.#pending.shift();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<EvaluationImage, void> {
    for (let image = await this.next(); image; image = await this.next()) yield image;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
  }

  #start(index: number): void {
    const { samples, base, normalise } = this.#options;
    const sample = samples[index]!;
    const image = this.#pool
      .run({ kind: "evaluation", sample, base, normalise })
      .then((result) => ({ ...result, index, sample }));
    // It is awaited in its turn; a failure before that must not count as unhandled.
    image.catch(() => {});
    this.#pending.push(image);
  }
}
