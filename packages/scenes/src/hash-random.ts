/** The finaliser of MurmurHash3: every input bit flips every output bit with probability near one half. */
function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/**
 * Random numbers that are a pure function of their keys and of how many were drawn before.
 *
 * Much cheaper than the Philox generator of the loading pipeline and good enough to draw pictures and polygons with.
 *
 * Two generators with the same keys give the same numbers wherever and whenever they are made, so picture `index` of
 * `seed` depends on no other picture. {@link fork} opens an independent stream, which keeps one part of a picture
 * unchanged when another part draws more numbers.
 */
export class HashRandom {
  readonly #key: number;
  readonly #tweak: number;
  #counter = 0;

  /** @param keys - Integers such as the seed, the index and the purpose; only their low 32 bits and the next 21 count. */
  constructor(...keys: number[]) {
    let key = 0x2545f491;
    let tweak = 0x5851f42d;
    for (const part of keys) {
      const high = Math.floor(part / 0x1_0000_0000);
      key = mix(Math.imul(key, 31) + (part | 0) + Math.imul(high, 0x9e3779b1));
      tweak = mix(Math.imul(tweak, 0x01000193) ^ (part | 0) ^ (high << 7));
    }
    this.#key = key;
    this.#tweak = tweak;
  }

  /** The next 32 random bits as an unsigned integer. */
  bits(): number {
    const counter = this.#counter++;
    return mix(mix(Math.imul(counter, 0x9e3779b9) + this.#key) ^ this.#tweak) >>> 0;
  }

  /** Uniform in [0, 1). */
  next(): number {
    return this.bits() / 0x1_0000_0000;
  }

  /** Uniform in [low, high). */
  uniform(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** Uniform integer in 0..count-1. */
  integer(count: number): number {
    return Math.floor(this.next() * count);
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One of the items, each as likely; list an item twice to make it twice as likely. */
  pick<T>(items: readonly T[]): T {
    return items[this.integer(items.length)] as T;
  }

  /** Standard normal, by Box and Muller. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()));
    return radius * Math.cos(2 * Math.PI * this.next());
  }

  /** An independent generator for the given purpose; does not advance this one. */
  fork(...purpose: number[]): HashRandom {
    return new HashRandom(this.#key, this.#tweak, ...purpose);
  }
}
