import type { Tensor } from "@armseg/torch";
import { nn } from "@armseg/torch";

/** The two lines that the paper tries (section 4.3): weight for the unconfident pixels, or for the confident ones. */
export const LINES = { suppress: { k: -0.5, b: 0.5 }, focus: { k: 0.5, b: 0.5 } } as const;

/**
 * Linear ARM: a fixed line W(u) = k·u + b (Liu et al. 2020, section 4.3). It has nothing to learn.
 *
 * @example
 * new LinearCurve(); // suppresses confident pixels: W(−1) = 1, W(1) = 0
 * new LinearCurve({ k: 0.5, b: 0.5 }); // focuses on them
 */
export class LinearCurve extends nn.Module {
  readonly #k: number;
  readonly #b: number;

  /** @throws {RangeError} If the line is negative somewhere on [−1, 1]. */
  constructor(line: { readonly k: number; readonly b: number } = LINES.suppress) {
    super();
    if (!(line.b >= Math.abs(line.k))) {
      throw new RangeError(
        `LinearCurve(): expected a line that is not negative on [-1, 1], got ${line.k}·u + ${line.b}; take b >= |k|`,
      );
    }
    this.#k = line.k;
    this.#b = line.b;
  }

  forward(confidence: Tensor): Tensor {
    return confidence.mul(this.#k).add(this.#b);
  }
}
