import { confidenceMap, whyNoKernels } from "@armseg/kernels";
import type { Tensor } from "@armseg/torch";
import { noGrad, tidy } from "@armseg/torch";
import { upsampled, upsampledLogS } from "../losses/class-likelihoods.ts";
import type { Indicator } from "../reweighting/indicators.ts";
import { confidence } from "../reweighting/indicators.ts";

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
  readonly logS?: Tensor | null;
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
  const { indicator = "var", threshold = 0, logS = null } = options;
  const u = noGrad(() =>
    confidenceOf(logits, size, indicator, logS).to("float32").toTypedArray(),
  ) as Float32Array;
  const isLow = Uint8Array.from(u, (value) => (value < threshold ? 1 : 0));
  return { size, confidence: u, isLow, lowFraction: isLow.reduce((sum, low) => sum + low, 0) / isLow.length };
}

function confidenceOf(
  logits: Tensor,
  size: readonly [number, number],
  indicator: Indicator,
  logS: Tensor | null,
): Tensor {
  if (whyNoKernels(logits) === null) return confidenceMap(logits, size, { indicator, logS });
  return tidy(() => {
    const logLikelihoods = upsampled(logits, size).logSoftmax(1);
    const everywhere = logLikelihoods.select(1, 0).isfinite();
    return confidence(indicator, { logLikelihoods, logS: logS ? upsampledLogS(logS, everywhere) : null });
  });
}
