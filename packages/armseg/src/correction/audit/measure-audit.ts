import { IGNORE_INDEX } from "../../core/ignore-index.ts";
import { maskStretches } from "../../core/region-mask.ts";
import { type AuditedPixels, componentsWhere, type FoundRegion } from "./find-regions.ts";

/** Regions at the head of a list whose precision is measured. */
export const PRECISION_AT = [10, 50, 100] as const;

/** What an audit is worth, against fine labels; shares in [0, 1], `null` where there is nothing to count. */
export interface AuditMeasureResult {
  /** Labelled pixels whose fine label is another class. */
  readonly wrong: number;
  /** Unlabelled pixels that have a fine label. */
  readonly missing: number;
  /** Of the first so many regions, the share that is right: most of the pixels are labelled wrongly; `null` where there are fewer. */
  readonly precision: readonly {
    readonly regions: number;
    readonly ours: number | null;
    readonly cleanlab: number | null;
  }[];
  /** Share of the wrong pixels that are in regions; in cleanlab's issues. */
  readonly wrongRecall: { readonly ours: number | null; readonly cleanlab: number | null };
  /** Share of the missing pixels that are predicted above the threshold of the class; share of those that are predicted rightly. */
  readonly missingRecall: number | null;
  readonly missingPrecision: number | null;
}

/**
 * Measures regions against fine labels, and the same with cleanlab's issues in the place of ours.
 *
 * cleanlab has no regions: its issues are joined as ours are, and ranked by the mean of its pixel score, the likelihood of the given
 * label.
 */
export class AuditMeasurement {
  #cutoff: number;
  #thresholds: ArrayLike<number>;
  readonly #ours = new RankedPrecision();
  readonly #cleanlab = new RankedPrecision();
  readonly #counts = { wrong: 0, found: 0, issues: 0, missing: 0, filled: 0, filledRightly: 0 };

  /**
   * @param thresholds - τ of each class.
   * @param cutoff - `ConfidentLearning.cutoff()`
   */
  constructor(thresholds: ArrayLike<number>, cutoff: number) {
    this.#thresholds = thresholds;
    this.#cutoff = cutoff;
  }

  /** Goes on with images that another network has seen. */
  with(thresholds: ArrayLike<number>, cutoff: number): this {
    this.#thresholds = thresholds;
    this.#cutoff = cutoff;
    return this;
  }

  /**
   * Counts an image.
   *
   * @param fine - Its fine classes, row-major, of the label's size; the ignore index where there is none.
   * @param leastArea - Of cleanlab's regions, as of ours.
   */
  add(pixels: AuditedPixels, regions: readonly FoundRegion[], fine: Uint8Array, leastArea: number): void {
    const { label, prediction, givenLikelihood, width } = pixels;
    const isIssue = (i: number) => label[i] !== prediction[i] && givenLikelihood[i]! < this.#cutoff;
    const isWrong = (i: number) => fine[i] !== IGNORE_INDEX && fine[i] !== label[i];
    this.#countPixels(pixels, fine, isIssue);
    for (const region of regions) {
      const wrong = countInside(region, width, isWrong);
      this.#counts.found += wrong;
      this.#ours.add(region.score, 2 * wrong > region.area);
    }
    for (const region of componentsWhere(pixels, isIssue, leastArea)) {
      const wrong = countInside(region, width, isWrong);
      this.#cleanlab.add(-region.givenLikelihood, 2 * wrong > region.area);
    }
  }

  result(): AuditMeasureResult {
    const { wrong, found, issues, missing, filled, filledRightly } = this.#counts;
    return {
      wrong,
      missing,
      precision: PRECISION_AT.map((regions) => ({
        regions,
        ours: this.#ours.at(regions),
        cleanlab: this.#cleanlab.at(regions),
      })),
      wrongRecall: { ours: ratio(found, wrong), cleanlab: ratio(issues, wrong) },
      missingRecall: ratio(filled, missing),
      missingPrecision: ratio(filledRightly, filled),
    };
  }

  #countPixels(
    { label, prediction, likelihood }: AuditedPixels,
    fine: Uint8Array,
    isIssue: (i: number) => boolean,
  ): void {
    const counts = this.#counts;
    for (let i = 0; i < label.length; i++) {
      if (fine[i] === IGNORE_INDEX || label[i] === fine[i]) continue;
      if (label[i] !== IGNORE_INDEX) {
        counts.wrong++;
        if (isIssue(i)) counts.issues++;
        continue;
      }
      counts.missing++;
      if (likelihood[i]! < (this.#thresholds[prediction[i]!] as number)) continue;
      counts.filled++;
      if (prediction[i] === fine[i]) counts.filledRightly++;
    }
  }
}

function countInside({ mask }: FoundRegion, width: number, isCounted: (i: number) => boolean): number {
  let count = 0;
  for (const [start, length] of maskStretches(mask, width))
    for (let i = start; i < start + length; i++) if (isCounted(i)) count++;
  return count;
}

/** Keeps the head of a list that comes unsorted: its memory does not grow with the list. */
class RankedPrecision {
  readonly #head: { readonly rank: number; readonly isRight: boolean }[] = [];

  /** @param rank - The higher, the nearer to the head; of equals, the first stays first. */
  add(rank: number, isRight: boolean): void {
    const head = this.#head;
    let at = head.length;
    while (at > 0 && head[at - 1]!.rank < rank) at--;
    head.splice(at, 0, { rank, isRight });
    head.length = Math.min(head.length, Math.max(...PRECISION_AT));
  }

  /** Share of the first so many that are right; `null` where there are fewer. */
  at(count: number): number | null {
    if (this.#head.length < count) return null;
    return this.#head.slice(0, count).filter(({ isRight }) => isRight).length / count;
  }
}

function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
