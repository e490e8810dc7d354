import { argumentError } from "../core/argument-error.ts";
import { CounterRandom, STREAMS } from "../core/random.ts";

/** One sample: which source, and which of its samples. */
export interface SampleRef {
  readonly source: number;
  readonly index: number;
}

export interface SamplerOptions {
  readonly seed: number;
  /** Number of samples of each source, e.g. fine, coarse, extra; together they are one list, each sample seen once per epoch. */
  readonly sizes: readonly number[];
  /** Samples per batch of this rank. */
  readonly batchSize: number;
  readonly rank?: number;
  readonly worldSize?: number;
  /** Default true. */
  readonly shuffle?: boolean;
  /** Whether to leave out the samples of an epoch that do not fill a batch over all ranks, so that no batch straddles two epochs. Default true. */
  readonly dropLast?: boolean;
}

/** An endless order of samples, in batches that are numbered by their iteration. */
export interface Sampler {
  /** Iterations that see as many samples as there are; not whole where batches straddle epochs. */
  readonly iterationsPerEpoch: number;
  /** Returns this rank's samples of a batch, a pure function of the options and `iteration`. */
  batch(iteration: number): SampleRef[];
  /**
   * Returns what replaces a sample that cannot be read: another of the same source, a pure function of the options and the arguments.
   *
   * @param index - Index in this rank's batch.
   * @param attempt - 0 for the first replacement of that sample, 1 for the replacement of the replacement, and so on.
   */
  replacement(bad: SampleRef, iteration: number, index: number, attempt: number): SampleRef;
  /** Returns the index of this rank's sample `index` in the batch over all ranks; random numbers are keyed by it. */
  globalIndex(index: number): number;
}

/**
 * Returns an infinite sampler: each epoch a new permutation (Fisher-Yates on counter-based numbers), sharded by rank.
 *
 * Batch `iteration` of rank r holds the samples at `iteration * G + r * batchSize ...` of the order, where G is the batch size over all ranks.
 *
 * @throws {RangeError} If a size or rank makes no sense, or `dropLast` would leave nothing.
 */
export function createSampler(options: SamplerOptions): Sampler {
  const { seed, sizes, batchSize, rank = 0, worldSize = 1, shuffle = true, dropLast = true } = options;
  checkOptions(options);
  const globalBatchSize = batchSize * worldSize;
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const usable = dropLast ? total - (total % globalBatchSize) : total;
  if (usable === 0)
    throw argumentError(
      "createSampler",
      `enough samples for one batch of ${globalBatchSize}`,
      total,
      "use a smaller batch size, or set dropLast: false to keep what does not fill one",
    );
  const order = joinedOrder(seed, sizes, usable, shuffle);
  return {
    iterationsPerEpoch: usable / globalBatchSize,
    globalIndex: (index) => rank * batchSize + index,
    batch: (iteration) =>
      Array.from({ length: batchSize }, (_, i) => order(iteration * globalBatchSize + rank * batchSize + i)),
    replacement: ({ source }, iteration, index, attempt) => {
      const random = new CounterRandom({
        seed,
        iteration,
        index: rank * batchSize + index,
        stream: STREAMS.replacement,
      });
      for (let i = 0; i < attempt; i++) random.uint32();
      return { source, index: Math.floor((random.uint32() / 0x1_0000_0000) * sizes[source]!) };
    },
  };
}

function checkOptions({ sizes, batchSize, rank = 0, worldSize = 1 }: SamplerOptions): void {
  const whole = (value: number, min: number) => Number.isInteger(value) && value >= min;
  const expect = (holds: boolean, expected: string, got: unknown) => {
    if (!holds) throw argumentError("createSampler", expected, got);
  };
  expect(whole(batchSize, 1), "batchSize to be a whole number of at least 1", batchSize);
  const isRank = whole(worldSize, 1) && whole(rank, 0) && rank < worldSize;
  expect(isRank, "rank in 0..worldSize - 1", `rank ${rank} of ${worldSize}`);
  const isFilled = sizes.length > 0 && sizes.every((size) => whole(size, 1));
  expect(isFilled, "at least one sample in every source", sizes);
}

type Order = (position: number) => SampleRef;

/** Orders all sources as one list: epoch e is the first `usable` samples of permutation e. */
function joinedOrder(seed: number, sizes: readonly number[], usable: number, shuffle: boolean): Order {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const permutation = permutations(seed, total, shuffle);
  return (position) => {
    let index = permutation(Math.floor(position / usable))[position % usable]!;
    let source = 0;
    while (index >= sizes[source]!) index -= sizes[source++]!;
    return { source, index };
  };
}

/** Returns the permutation of each epoch; the last two are kept, since a batch may straddle them. */
function permutations(seed: number, size: number, shuffle: boolean): (epoch: number) => Uint32Array {
  const kept = new Map<number, Uint32Array>();
  return (epoch) => {
    const known = kept.get(shuffle ? epoch : 0);
    if (known) return known;
    const random = new CounterRandom({ seed, iteration: epoch, index: 0, stream: STREAMS.permutation });
    const made = shuffle ? permutationOf(random, size) : Uint32Array.from({ length: size }, (_, i) => i);
    kept.set(shuffle ? epoch : 0, made);
    for (const old of kept.keys()) if (kept.size > 2) kept.delete(old);
    return made;
  };
}

/** Returns a uniformly random permutation of `0..size - 1` (Fisher-Yates). */
function permutationOf(random: CounterRandom, size: number): Uint32Array {
  const order = Uint32Array.from({ length: size }, (_, i) => i);
  for (let i = size - 1; i > 0; i--) {
    const j = random.integer(0, i + 1);
    const swapped = order[i]!;
    order[i] = order[j]!;
    order[j] = swapped;
  }
  return order;
}
