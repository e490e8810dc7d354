import type { ConfusionMatrix } from "./confusion-matrix.ts";
import { computeMetrics } from "./metrics.ts";

/** What images are ranked by. */
export type ImageScore = "mIoU" | "aAcc";

/** An image and its own score, a fraction in [0, 1]. */
export interface RankedImage {
  readonly name: string;
  readonly score: number;
}

/** Keeps the k images with the lowest scores, whatever the size of the set. */
export class WorstImages {
  readonly count: number;
  readonly by: ImageScore;
  #worst: readonly RankedImage[] = [];

  constructor(count: number, by: ImageScore = "mIoU") {
    this.count = count;
    this.by = by;
  }

  /**
   * Adds an image; one without a labelled pixel has no score and is left out.
   *
   * @param confusion - Of this image alone. mIoU is then over the classes in its label or its prediction.
   */
  add(name: string, confusion: ConfusionMatrix): this {
    const score = computeMetrics(confusion)[this.by];
    if (Number.isNaN(score)) return this;
    return this.keepWorst([...this.#worst, { name, score }]);
  }

  /** Keeps the worst of these, and forgets the others. */
  keepWorst(images: readonly RankedImage[]): this {
    this.#worst = images.toSorted((a, b) => a.score - b.score).slice(0, this.count);
    return this;
  }

  /** Returns them worst first; of equal ones the one that came first. */
  list(): readonly RankedImage[] {
    return this.#worst;
  }
}
