import type { Tensor } from "@armseg/torch";
import { nn } from "@armseg/torch";
import { argumentError } from "../core/argument-error.ts";

/** The two lines that the paper tries (section 4.3): weight for the unconfident pixels, or for the confident ones. */
export const LINES = {
  suppress: { slope: -0.5, intercept: 0.5 },
  focus: { slope: 0.5, intercept: 0.5 },
} as const;

/**
 * Linear ARM: a fixed line W(u) = slope·u + intercept (Liu et al. 2020, section 4.3). It has nothing to learn.
 *
 * @example
 * new LinearCurve(); // suppresses confident pixels: W(−1) = 1, W(1) = 0
 * new LinearCurve({ slope: 0.5, intercept: 0.5 }); // focuses on them
 */
export class LinearCurve extends nn.Module {
  readonly #slope: number;
  readonly #intercept: number;

  /** @throws {RangeError} If the line is negative somewhere on [−1, 1]. */
  constructor(line: { readonly slope: number; readonly intercept: number } = LINES.suppress) {
    super();
    const { slope, intercept } = line;
    if (!(intercept >= Math.abs(slope))) {
      const expected = "a line that is not negative on [-1, 1]";
      throw argumentError("LinearCurve", expected, `${slope}·u + ${intercept}`, "take intercept >= |slope|");
    }
    this.#slope = slope;
    this.#intercept = intercept;
  }

  forward(confidence: Tensor): Tensor {
    return confidence.mul(this.#slope).add(this.#intercept);
  }
}
