import { CounterRandom, STREAMS } from "../core/random.ts";

/** One sample: which source, and which of its samples. */
export interface SampleRef {
  readonly source: number;
  readonly index: number;
}

export interface SamplerOptions {
  readonly seed: number;
  /** Number of samples of each source, e.g. fine, coarse, extra. */
  readonly sizes: readonly number[];
  /**
   * Part of the draws that each source gets, in the order of `sizes`; scaled to sum to 1. Without it the sources are one
   * long list, each sample seen once an epoch.
   */
  readonly shares?: readonly number[];
  /** Samples a batch of this rank. */
  readonly batchSize: number;
  readonly rank?: number;
  readonly worldSize?: number;
  /** Default true. */
  readonly shuffle?: boolean;
  /**
   * Leave out the samples of an epoch that do not fill a batch over all ranks, so that no batch straddles two epochs. Default true.
   * With `shares` there is no common epoch and nothing to leave out.
   */
  readonly dropLast?: boolean;
}

/** An endless order of samples in which a batch's place is a number: its iteration. */
export interface Sampler {
  /** Samples a batch over all ranks. */
  readonly globalBatchSize: number;
  /** Iterations that see as many samples as there are; not whole where batches straddle epochs. */
  readonly iterationsPerEpoch: number;
  /** This rank's samples of a batch, a pure function of the options and `iteration`. */
  batch(iteration: number): SampleRef[];
  /**
   * What takes the place of a sample that cannot be read: another of the same source, a pure function of the options and the arguments.
   *
   * @param index - Place in this rank's batch.
   * @param attempt - 0 for the first replacement of that place, 1 for the replacement of the replacement, and so on.
   */
  replacement(bad: SampleRef, iteration: number, index: number, attempt: number): SampleRef;
  /** Place of this rank's sample `index` in the batch over all ranks; random numbers are keyed by it. */
  globalIndex(index: number): number;
}

/** Shares are realised exactly over a cycle of at most this many draws. */
const MAX_CYCLE = 1000;

/**
 * An infinite sampler: each epoch a new permutation (Fisher-Yates on counter-based numbers), sharded by rank.
 *
 * Batch `iteration` of rank r holds the places `iteration * G + r * batchSize ...` of the order, where G is the batch size over all ranks.
 *
 * @throws If a size, share or rank makes no sense, or `dropLast` would leave nothing.
 */
export function createSampler(options: SamplerOptions): Sampler {
  const { seed, sizes, batchSize, rank = 0, worldSize = 1, shuffle = true, dropLast = true } = options;
  checkOptions(options);
  const globalBatchSize = batchSize * worldSize;
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const usable = dropLast && !options.shares ? total - (total % globalBatchSize) : total;
  if (usable === 0)
    throw new RangeError(
      `createSampler(): ${total} samples do not fill one batch of ${globalBatchSize}, and dropLast leaves out what does not fill one. ` +
        "Use a smaller batch size or set dropLast: false.",
    );
  const order = options.shares
    ? sharedOrder(seed, sizes, options.shares, shuffle, globalBatchSize)
    : joinedOrder(seed, sizes, usable, shuffle);
  return {
    globalBatchSize,
    iterationsPerEpoch: usable / globalBatchSize,
    globalIndex: (index) => rank * batchSize + index,
    batch: (iteration) =>
      Array.from({ length: batchSize }, (_, i) =>
        order(iteration, iteration * globalBatchSize + rank * batchSize + i),
      ),
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

function checkOptions({ sizes, shares, batchSize, rank = 0, worldSize = 1 }: SamplerOptions): void {
  const whole = (value: number, min: number) => Number.isInteger(value) && value >= min;
  const fail = (what: string) => {
    throw new RangeError(`createSampler(): ${what}`);
  };
  if (!whole(batchSize, 1)) fail(`batchSize must be a whole number of at least 1, got ${batchSize}.`);
  if (!whole(worldSize, 1) || !whole(rank, 0) || rank >= worldSize)
    fail(`rank must be in 0..worldSize - 1, got rank ${rank} of ${worldSize}.`);
  if (sizes.length === 0 || sizes.some((size) => !whole(size, 1)))
    fail(`every source needs at least one sample, got sizes [${sizes}].`);
  if (!shares) return;
  if (shares.length !== sizes.length)
    fail(`expected ${sizes.length} shares, one a source, got ${shares.length}.`);
  if (shares.some((share) => !(share >= 0) || !Number.isFinite(share)) || !shares.some((share) => share > 0))
    fail(`shares must be numbers of at least 0, one of them above, got [${shares}].`);
}

type Order = (iteration: number, position: number) => SampleRef;

/** All sources as one list: epoch e is the first `usable` places of permutation e. */
function joinedOrder(seed: number, sizes: readonly number[], usable: number, shuffle: boolean): Order {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const permutation = permutations(seed, 0, total, shuffle);
  return (_iteration, position) => {
    let index = permutation(Math.floor(position / usable))[position % usable]!;
    let source = 0;
    while (index >= sizes[source]!) index -= sizes[source++]!;
    return { source, index };
  };
}

/** Sources mixed by their shares; each walks through permutations of its own. */
function sharedOrder(
  seed: number,
  sizes: readonly number[],
  shares: readonly number[],
  shuffle: boolean,
  globalBatchSize: number,
): Order {
  const { pattern, before, counts } = cycleOf(shares);
  const walks = sizes.map((size, source) => permutations(seed, source + 1, size, shuffle));
  let mixed = { iteration: -1, places: new Uint32Array() as Uint32Array };
  return (iteration, position) => {
    const start = iteration * globalBatchSize;
    if (mixed.iteration !== iteration)
      mixed = { iteration, places: mixing(seed, iteration, globalBatchSize) };
    const drawing = start + mixed.places[position - start]!;
    const place = drawing % pattern.length;
    const source = pattern[place]!;
    const drawn = Math.floor(drawing / pattern.length) * counts[source]! + before[place]!;
    const size = sizes[source]!;
    return { source, index: walks[source]!(Math.floor(drawn / size))[drawn % size]! };
  };
}

/** Within a batch the places are shuffled over the ranks, or a pattern as long as the batch would tie a source to a rank. */
function mixing(seed: number, iteration: number, size: number): Uint32Array {
  return permutationOf(new CounterRandom({ seed, iteration, index: 0, stream: STREAMS.mixing }), size);
}

interface Cycle {
  /** Source of each draw of the cycle, spread evenly. */
  readonly pattern: readonly number[];
  /** How often that source was drawn before in the cycle. */
  readonly before: readonly number[];
  /** Draws of each source in a cycle. */
  readonly counts: readonly number[];
}

function cycleOf(shares: readonly number[]): Cycle {
  const sum = shares.reduce((a, b) => a + b, 0);
  const counts = wholeCounts(shares.map((share) => share / sum));
  const length = counts.reduce((a, b) => a + b, 0);
  const drawn = counts.map(() => 0);
  const pattern: number[] = [];
  const before: number[] = [];
  for (let place = 0; place < length; place++) {
    const behind = counts.map((count, source) => ((place + 1) * count) / length - drawn[source]!);
    const source = behind.indexOf(Math.max(...behind));
    pattern.push(source);
    before.push(drawn[source]!);
    drawn[source]!++;
  }
  return { pattern, before, counts };
}

/** The shortest cycle in which every share is whole, or one of MAX_CYCLE with the largest remainders rounded up. */
function wholeCounts(shares: readonly number[]): number[] {
  for (let length = 1; length <= MAX_CYCLE; length++) {
    const exact = shares.map((share) => share * length);
    if (exact.every((count) => Math.abs(count - Math.round(count)) < 1e-9)) return exact.map(Math.round);
  }
  const exact = shares.map((share) => share * MAX_CYCLE);
  const counts = exact.map(Math.floor);
  const byRemainder = exact.map((_, i) => i).sort((a, b) => (exact[b]! % 1) - (exact[a]! % 1));
  const missing = MAX_CYCLE - counts.reduce((a, b) => a + b, 0);
  for (const source of byRemainder.slice(0, missing)) counts[source]!++;
  return counts;
}

/** The permutation of each epoch; the last two are kept, since a batch may straddle them. */
function permutations(
  seed: number,
  source: number,
  size: number,
  shuffle: boolean,
): (epoch: number) => Uint32Array {
  const kept = new Map<number, Uint32Array>();
  return (epoch) => {
    const known = kept.get(shuffle ? epoch : 0);
    if (known) return known;
    const random = new CounterRandom({ seed, iteration: epoch, index: source, stream: STREAMS.permutation });
    const made = shuffle ? permutationOf(random, size) : Uint32Array.from({ length: size }, (_, i) => i);
    kept.set(shuffle ? epoch : 0, made);
    for (const old of kept.keys()) if (kept.size > 2) kept.delete(old);
    return made;
  };
}

/** A uniformly random permutation of `0..size - 1` (Fisher-Yates). */
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
