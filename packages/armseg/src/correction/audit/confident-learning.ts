import { IGNORE_INDEX } from "../../core/ignore-index.ts";
import type { AuditedPixels } from "./find-regions.ts";

/** Equal parts of [0, 1] that likelihoods are counted in. */
const BINS = 16384;
/** cleanlab's allowance for rounding where it compares with thresholds, and its least threshold. */
const TOLERANCE = 1e-6;
const LEAST_THRESHOLD = 2 * TOLERANCE;

/**
 * cleanlab's mask of label issues (`cleanlab.segmentation.filter.find_label_issues`, its defaults), from counts instead of all
 * likelihoods at once: of all pixels, those of the lowest p_y, as many as there are pixels with ŷ ≠ y and p_ŷ at least the mean likelihood of ŷ
 * over the pixels labelled so; less those with ŷ = y.
 *
 * cleanlab knows no ignore index: unlabelled pixels are left out before.
 */
export class ConfidentLearning {
  readonly #classes: number;
  readonly #sums: Float64Array;
  readonly #labelled: Float64Array;
  /** Pixels with ŷ ≠ y by ŷ and p_ŷ, `[C, BINS]`. */
  readonly #disagreeing: Float64Array;
  /** Pixels by p_y. */
  readonly #given = new Float64Array(BINS);

  constructor(classes: number) {
    this.#classes = classes;
    this.#sums = new Float64Array(classes);
    this.#labelled = new Float64Array(classes);
    this.#disagreeing = new Float64Array(classes * BINS);
  }

  /** Counts the pixels of an image. */
  add({ label, prediction, likelihood, givenLikelihood }: AuditedPixels): void {
    for (let i = 0; i < label.length; i++) {
      const given = label[i]!;
      if (given === IGNORE_INDEX) continue;
      this.#sums[given]! += givenLikelihood[i]!;
      this.#labelled[given]! += 1;
      this.#given[binOf(givenLikelihood[i]!)]! += 1;
      if (prediction[i] !== given) this.#disagreeing[prediction[i]! * BINS + binOf(likelihood[i]!)]! += 1;
    }
  }

  /** The likelihood p_y below which pixels of another prediction are issues, to 1/16384. */
  cutoff(): number {
    const wanted = this.#issues();
    let count = 0;
    for (let bin = 0; bin < BINS; bin++) {
      count += this.#given[bin]!;
      if (count > wanted) return bin / BINS;
    }
    return 1;
  }

  /** Number of issues: pixels with ŷ ≠ y above the threshold of ŷ. */
  #issues(): number {
    let count = 0;
    for (let k = 0; k < this.#classes; k++) {
      const mean = this.#labelled[k]! === 0 ? 1 : this.#sums[k]! / this.#labelled[k]!;
      const first = Math.ceil((Math.max(LEAST_THRESHOLD, mean) - TOLERANCE) * BINS);
      for (let bin = first; bin < BINS; bin++) count += this.#disagreeing[k * BINS + bin]!;
    }
    return count;
  }
}

function binOf(likelihood: number): number {
  return Math.min(BINS - 1, Math.floor(likelihood * BINS));
}
