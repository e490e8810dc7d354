import { argumentError } from "./argument-error.ts";

/** What a random number is for; each use draws from a stream of its own, so that adding one disturbs no other. */
export const STREAMS = {
  resize: 0,
  crop: 1,
  flip: 2,
  photometric: 3,
  permutation: 4,
  mixing: 5,
  replacement: 6,
} as const;

/** The name of every random number: the same key always gives the same sequence, wherever and whenever it is asked. */
export interface RandomKey {
  /** Whole number in `0..2^53 - 1`. */
  readonly seed: number;
  /** Iteration of the training, `0..2^32 - 1`. */
  readonly iteration: number;
  /** Index in the batch over all ranks, `0..2^32 - 1`. */
  readonly index: number;
  /** One of {@link STREAMS}. */
  readonly stream: number;
}

export type Words2 = readonly [number, number];
export type Words4 = readonly [number, number, number, number];

const ROUNDS = 10;
const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const TWO_32 = 0x1_0000_0000;

/** Returns the upper 32 bits of the 64-bit product of two unsigned 32-bit numbers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const cross = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(cross / 0x10000)) >>> 0;
}

/**
 * Returns the four random words of Philox 4x32-10 for a counter and a key.
 *
 * Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011. All words are unsigned 32-bit numbers.
 */
export function philox4x32(counter: Words4, key: Words2): Words4 {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0);
    const high1 = multiplyHigh(MULTIPLIER_1, c2);
    const low0 = Math.imul(MULTIPLIER_0, c0) >>> 0;
    const low1 = Math.imul(MULTIPLIER_1, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/**
 * A sequence of random numbers that is a pure function of its key.
 *
 * The counter of Philox is (block, stream, index, iteration) and its key is the seed: no state is shared between samples, so the order in
 * which workers ask cannot change an answer, and resuming needs nothing but the iteration.
 *
 * @throws If a part of the key is not a whole number in its range.
 */
export class CounterRandom {
  readonly #key: Words2;
  readonly #where: readonly [number, number, number];
  #block = 0;
  #words: Words4 = [0, 0, 0, 0];
  #left = 0;

  constructor({ seed, iteration, index, stream }: RandomKey) {
    assertWhole("seed", seed, Number.MAX_SAFE_INTEGER);
    assertWhole("iteration", iteration, TWO_32 - 1);
    assertWhole("index", index, TWO_32 - 1);
    assertWhole("stream", stream, TWO_32 - 1);
    this.#key = [seed >>> 0, Math.floor(seed / TWO_32)];
    this.#where = [stream, index, iteration];
  }

  /** A whole number in `0..2^32 - 1`. */
  uint32(): number {
    if (this.#left === 0) {
      this.#words = philox4x32([this.#block++, ...this.#where], this.#key);
      this.#left = 4;
    }
    return this.#words[4 - this.#left--]!;
  }

  /** Returns a number in `[low, high)`, by default `[0, 1)`, with 53 random bits. */
  uniform(low = 0, high = 1): number {
    const upper = this.uint32() >>> 5;
    const lower = this.uint32() >>> 6;
    return low + ((upper * 0x400_0000 + lower) / 0x20_0000_0000_0000) * (high - low);
  }

  /** Returns a whole number in `low..high - 1`, each equally likely (words that would favour some are drawn again). */
  integer(low: number, high: number): number {
    const range = high - low;
    if (!Number.isInteger(low) || !Number.isInteger(high) || range < 1 || range > TWO_32)
      throw argumentError("CounterRandom.integer", "whole numbers low < high", `${low} and ${high}`);
    const limit = TWO_32 - (TWO_32 % range);
    let word = this.uint32();
    while (word >= limit) word = this.uint32();
    return low + (word % range);
  }

  /** True with the given probability, one half unless told. */
  coin(probability = 0.5): boolean {
    return this.uniform() < probability;
  }
}

function assertWhole(name: string, value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max)
    throw argumentError("CounterRandom", `${name} to be a whole number in 0..${max}`, value);
}
