import type { Tensor } from "@armseg/torch";
import { noGrad } from "@armseg/torch";
import { confidenceOfLogits } from "../evaluation/upsampled.ts";
import type { Indicator } from "../reweighting/indicators.ts";

/** Where a network is unsure of an image (the paper's Figure 4). */
export interface LowVarianceMap {
  /** `[height, width]`. */
  readonly size: readonly [number, number];
  /** u of each pixel in [−1, 1], row by row. */
  readonly confidence: Float32Array;
  /** 1 where u is below the threshold. */
  readonly isLow: Uint8Array;
  /** Fraction of the pixels that are low. */
  readonly lowFraction: number;
}

export interface LowVarianceOptions {
  /** Default var. */
  readonly indicator?: Indicator;
  /** u below which a pixel is low. Default 0, half of the greatest variance. */
  readonly threshold?: number;
  /** `[1, 1, h, w]`, for indicator kl. */
  readonly logScale?: Tensor | null;
}

/**
 * The map of low variance of one image.
 *
 * @param logits - `[1, C, h, w]`, in the network's resolution.
 * @param size - `[height, width]` of the map.
 * @throws {RangeError} If there is more than one image.
 */
export function lowVarianceMap(
  logits: Tensor,
  size: readonly [number, number],
  options: LowVarianceOptions = {},
): LowVarianceMap {
  if (logits.ndim !== 4 || logits.size(0) !== 1) {
    throw new RangeError(`lowVarianceMap(): expected logits [1, C, h, w], got [${logits.shape.join(", ")}]`);
  }
  const { indicator = "var", threshold = 0, logScale = null } = options;
  const u = noGrad(() =>
    confidenceOfLogits(logits, size, { indicator, logScale }).to("float32").toTypedArray(),
  ) as Float32Array;
  const isLow = Uint8Array.from(u, (value) => (value < threshold ? 1 : 0));
  return { size, confidence: u, isLow, lowFraction: isLow.reduce((sum, low) => sum + low, 0) / isLow.length };
}
