import { availableParallelism } from "node:os";
import { argumentError } from "../core/argument-error.ts";
import { DataError } from "../data/data-error.ts";
import type { Sample } from "../data/sample.ts";
import type { AugmentationOptions } from "./augment.ts";
import { allocateBatch, type Batch, type BatchFormat, type BatchMemory } from "./batch.ts";
import { BatchCache, type BatchFacts } from "./batch-cache.ts";
import { createPool, type Pool } from "./pool.ts";
import { createSampler, type SampleRef, type Sampler } from "./sampler.ts";

export interface LoaderOptions {
  /** Samples of each source, e.g. fine, coarse, extra; together they are one list, each sample seen once per epoch. */
  readonly sources: readonly (readonly Sample[])[];
  readonly augmentation: AugmentationOptions;
  readonly seed: number;
  /** Samples per batch of this rank. */
  readonly batchSize: number;
  readonly rank?: number;
  readonly worldSize?: number;
  /** Default true. */
  readonly shuffle?: boolean;
  /** Default true. */
  readonly dropLast?: boolean;
  /** The first batch's iteration: where a resumed training goes on. Default 0. */
  readonly startIteration?: number;
  /** The iteration before which the loader ends. Default: never. */
  readonly endIteration?: number;
  /**
   * Worker threads; 0 loads in this thread. Default: processors less one, at least 1. Images are decoded in the pool of libuv that all threads
   * of a process share: for more than four, start Node with `UV_THREADPOOL_SIZE` as large.
   */
  readonly workers?: number;
  /** Batches prepared ahead of the one asked for; bounds the memory. Default 2. */
  readonly prefetch?: number;
  /** What becomes of a sample that cannot be read: an error, or another sample of its source in its place. Default `error`. */
  readonly onBadFile?: "error" | "skip";
  /** Seconds after which a task counts as stalled. Default 120. */
  readonly stallSeconds?: number;
  /** Where batches are kept for other loaders with the same options, and the data's fingerprint, which must change when a file does. */
  readonly cache?: { readonly folder: string; readonly fingerprint: string };
  /** Weight, at an iteration, of the pixels whose class is a teacher's ({@link Sample.taught}). Default 1. */
  readonly taughtWeight?: (iteration: number) => number;
  /** Ends the loader at once; what is waited for rejects with its reason. */
  readonly signal?: AbortSignal;
}

export interface LoaderStatistics {
  /** Batches handed out. */
  readonly batches: number;
  readonly images: number;
  /** Seconds that `next()` was waited for. */
  readonly waitSeconds: number;
  /** Images handed out for each second since the first was asked for. */
  readonly imagesPerSecond: number;
  /** Samples replaced under `onBadFile: "skip"`. */
  readonly skipped: number;
  /** The messages of the distinct files that were skipped. */
  readonly skippedFiles: readonly string[];
}

/** An endless stream of training batches; `await using` or {@link Loader.dispose} ends its threads. */
export interface Loader extends AsyncDisposable, AsyncIterable<Batch> {
  readonly format: BatchFormat;
  /** Iterations that see as many samples as there are. */
  readonly iterationsPerEpoch: number;
  /**
   * Returns the batch of the next iteration, `undefined` after the last.
   *
   * @throws {DataError} If a file cannot be read; with `onBadFile: "skip"` only after many replacements failed too.
   * @throws If a thread crashed or stalled, or the loader was disposed.
   */
  next(): Promise<Batch | undefined>;
  statistics(): LoaderStatistics;
  dispose(): Promise<void>;
}

/** Replacements tried for one sample before giving up: a whole source that cannot be read is no bad file. */
const MAX_REPLACEMENTS = 20;

/**
 * Loads augmented training batches in worker threads.
 *
 * Every batch is a pure function of the options and its iteration: the number of threads, their order and where a training was resumed change
 * nothing.
 *
 * @throws {RangeError} If an option makes no sense.
 * @example
 * await using loader = createLoader({ sources: [dataset.samples], augmentation: augmentationPresets.cityscapes, seed: 1, batchSize: 8 });
 * for await (using batch of loader) step(batch.images, batch.labels);
 */
export function createLoader(options: LoaderOptions): Loader {
  return new BatchLoader(options);
}

interface Pending {
  readonly iteration: number;
  readonly batch: Promise<Batch>;
}

class BatchLoader implements Loader {
  readonly format: BatchFormat;
  readonly #options: LoaderOptions;
  readonly #sampler: Sampler;
  readonly #pool: Pool;
  readonly #pending: Pending[] = [];
  readonly #free: BatchMemory[] = [];
  readonly #counts = { batches: 0, images: 0, waitMs: 0, skipped: 0 };
  readonly #skippedFiles = new Map<string, string>();
  readonly #prefetch: number;
  readonly #cache: BatchCache | null;
  #nextIteration: number;
  #startedMs: number | null = null;
  #failure: unknown = null;

  constructor(options: LoaderOptions) {
    const { sources, batchSize, augmentation, prefetch = 2, startIteration = 0, signal } = options;
    if (!Number.isInteger(prefetch) || prefetch < 0)
      throw argumentError("createLoader", "prefetch to be a whole number of at least 0", prefetch);
    this.#options = options;
    this.#prefetch = prefetch;
    this.#nextIteration = startIteration;
    this.#sampler = createSampler({ ...options, sizes: sources.map(({ length }) => length) });
    this.format = {
      batchSize,
      size: augmentation.crop.size,
      weights: sources.some((samples) => samples.some(hasWeights)),
    };
    signal?.throwIfAborted();
    this.#cache = options.cache
      ? new BatchCache(options.cache.folder, identityOf(options, this.format))
      : null;
    this.#pool = createPool({
      workers: options.workers ?? Math.max(1, availableParallelism() - 1),
      stallSeconds: options.stallSeconds ?? 120,
    });
    signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  get iterationsPerEpoch(): number {
    return this.#sampler.iterationsPerEpoch;
  }

  async next(): Promise<Batch | undefined> {
    if (this.#failure) throw this.#failure;
    const since = performance.now();
    this.#startedMs ??= since;
    this.#prepare();
    const pending = this.#pending.shift();
    if (!pending) return undefined;
    try {
      const batch = await pending.batch;
      this.#counts.batches++;
      this.#counts.images += this.format.batchSize;
      return batch;
    } catch (cause) {
      this.#failure ??= cause;
      void this.dispose();
      throw this.#failure;
    } finally {
      this.#counts.waitMs += performance.now() - since;
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Batch, void> {
    for (let batch = await this.next(); batch; batch = await this.next()) yield batch;
  }

  statistics(): LoaderStatistics {
    const { batches, images, waitMs, skipped } = this.#counts;
    const seconds = this.#startedMs === null ? 0 : (performance.now() - this.#startedMs) / 1000;
    return {
      batches,
      images,
      waitSeconds: waitMs / 1000,
      imagesPerSecond: seconds > 0 ? images / seconds : 0,
      skipped,
      skippedFiles: [...this.#skippedFiles.values()],
    };
  }

  async dispose(): Promise<void> {
    this.#failure ??= new Error("Loader.next(): the loader was disposed.");
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    this.#free.length = 0;
    await this.#pool[Symbol.asyncDispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  #onAbort = (): void => {
    this.#failure ??= this.#options.signal?.reason;
    void this.dispose();
  };

  /** Starts the batch that is asked for and those ahead of it. */
  #prepare(): void {
    const { endIteration = Number.POSITIVE_INFINITY } = this.#options;
    while (this.#pending.length <= this.#prefetch && this.#nextIteration < endIteration) {
      const iteration = this.#nextIteration++;
      const batch = this.#load(iteration);
      // It is awaited in its turn; a failure before that must not count as unhandled.
      batch.catch(() => {});
      this.#pending.push({ iteration, batch });
    }
  }

  async #load(iteration: number): Promise<Batch> {
    const memory = this.#free.pop() ?? allocateBatch(this.format);
    const known = await this.#cache?.read(iteration, memory);
    if (known) return this.#batch(iteration, memory, known);
    const facts = await this.#make(iteration, memory);
    await this.#cache?.write(iteration, memory, facts);
    return this.#batch(iteration, memory, facts);
  }

  async #make(iteration: number, memory: BatchMemory): Promise<BatchFacts> {
    const refs = this.#sampler.batch(iteration);
    const results = await Promise.allSettled(
      refs.map((ref, index) => this.#fill(ref, iteration, index, memory)),
    );
    const filled = results.map((result) => {
      if (result.status === "rejected") throw result.reason;
      return result.value;
    });
    return {
      names: filled.map(({ name }) => name),
      validPixels: filled.reduce((sum, { validPixels }) => sum + validPixels, 0),
    };
  }

  /** Fills one sample of a batch, with a replacement where it cannot be read and may be skipped. */
  async #fill(ref: SampleRef, iteration: number, index: number, memory: BatchMemory): Promise<Filled> {
    const { seed, augmentation, onBadFile = "error", taughtWeight: weightAt } = this.#options;
    const key = { seed, iteration, index: this.#sampler.globalIndex(index) };
    const taughtWeight = weightAt?.(iteration) ?? 1;
    for (let attempt = 0, current = ref; ; attempt++) {
      const sample = this.#options.sources[current.source]![current.index]!;
      try {
        const { format } = this;
        const task = { kind: "training", sample, key, augmentation, format, memory, index } as const;
        return { name: sample.name, ...(await this.#pool.run({ ...task, taughtWeight })) };
      } catch (cause) {
        if (onBadFile === "error" || !(cause instanceof DataError) || attempt === MAX_REPLACEMENTS)
          throw cause;
        this.#counts.skipped++;
        this.#skippedFiles.set(cause.path, cause.message);
        current = this.#sampler.replacement(ref, iteration, index, attempt);
      }
    }
  }

  #batch(iteration: number, memory: BatchMemory, facts: BatchFacts): Batch {
    let mine: BatchMemory | null = memory;
    return {
      iteration,
      images: new Float32Array(memory.images),
      labels: new Uint8Array(memory.labels),
      ...(memory.weights && { weights: new Float32Array(memory.weights) }),
      ...facts,
      format: this.format,
      [Symbol.dispose]: () => {
        if (mine && !this.#failure) this.#free.push(mine);
        mine = null;
      },
    };
  }
}

function hasWeights({ weights, taught }: Sample): boolean {
  return weights !== undefined || taught !== undefined;
}

/** Returns all that a batch depends on but its number. */
function identityOf(options: LoaderOptions, format: BatchFormat): unknown {
  const { sources, augmentation, seed, rank = 0, worldSize = 1, shuffle = true, dropLast = true } = options;
  const files = sources.map((samples) => samples.map(({ name, image }) => [name, image]));
  const { fingerprint } = options.cache ?? {};
  return [fingerprint, files, augmentation, seed, rank, worldSize, shuffle, dropLast, format];
}

interface Filled {
  readonly name: string;
  readonly validPixels: number;
}
