import { IGNORE_INDEX } from "../core/ignore-index.ts";

/** No class is believed below this likelihood. */
const LEAST_THRESHOLD = 0.5;
/** No more than this is asked of any class; what a class is asked of whose pixels were not met. */
const MOST_THRESHOLD = 0.968;

/**
 * How likely a network must call a class to be believed: its mean likelihood at the pixels that are labelled so, in [0.5, 0.968]
 * (DESIGN 6.2). A class that the network is unsure of, even where it is right, is thereby asked for less than an easy one.
 */
export class ClassThresholds {
  /** Sums of likelihoods, then numbers of pixels, `[2C]`. */
  readonly #sums: Float64Array;

  constructor(classes: number) {
    this.#sums = new Float64Array(2 * classes);
  }

  /**
   * Counts the pixels of an image.
   *
   * @param label - Class of each pixel, and the ignore index.
   * @param likelihood - p of that class.
   */
  add(label: Uint8Array, likelihood: Float32Array): void {
    const classes = this.#sums.length / 2;
    for (let i = 0; i < label.length; i++) {
      const given = label[i] as number;
      if (given === IGNORE_INDEX) continue;
      this.#sums[given]! += likelihood[i] as number;
      this.#sums[classes + given]! += 1;
    }
  }

  /** Adds what other processes counted. */
  join(peers: { sum(values: Float64Array): void }): void {
    peers.sum(this.#sums);
  }

  /** τ of each class, `[C]`. */
  values(): Float64Array {
    const classes = this.#sums.length / 2;
    return Float64Array.from({ length: classes }, (_, k) => {
      const pixels = this.#sums[classes + k] as number;
      const mean = pixels === 0 ? MOST_THRESHOLD : (this.#sums[k] as number) / pixels;
      return Math.min(MOST_THRESHOLD, Math.max(LEAST_THRESHOLD, mean));
    });
  }
}
