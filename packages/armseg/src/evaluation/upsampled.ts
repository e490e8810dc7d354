import { confidenceMap, predict, unsupportedReason } from "@armseg/kernels";
import type { Tensor } from "@armseg/torch";
import { tidy } from "@armseg/torch";
import type { Size } from "../core/size.ts";
import type { Indicator } from "../reweighting/indicators.ts";
import { confidence } from "../reweighting/indicators.ts";
import { collectRows, labelsOfRows } from "./bands.ts";
import { resizedRows, wholeRows } from "./row-source.ts";

/** Returns whether the fused kernels take these logits; others go through bands of ATen operators, with the same result. */
export function isFusable(logits: Tensor): boolean {
  return unsupportedReason(logits) === null;
}

/**
 * Returns the most likely class of each pixel of bilinearly upsampled logits, never holding them in full resolution.
 *
 * @param logits - `[N, C, h, w]`, floating point, any device.
 * @returns uint8 `[N, ...size]` on the logits' device. The lower class where two are equal.
 */
export function labelsOfLogits(logits: Tensor, size: Size, bandBytes?: number): Tensor {
  if (isFusable(logits)) return predict(logits, size);
  return tidy(() => labelsOfRows(resizedRows(wholeRows(logits), size), bandBytes));
}

/**
 * Returns the confidence u of each pixel of bilinearly upsampled logits (paper, section 3.2).
 *
 * @param logits - `[N, C, h, w]`, floating point, any device.
 * @param logScale - `[N, 1, h, w]`, for indicator `kl` only.
 * @returns `[N, ...size]` in [-1, 1]: float32, or float64 where the logits are.
 */
export function confidenceOfLogits(
  logits: Tensor,
  size: Size,
  options: {
    readonly indicator?: Indicator;
    readonly logScale?: Tensor | null;
    readonly bandBytes?: number;
  } = {},
): Tensor {
  const { indicator = "var", logScale = null, bandBytes } = options;
  if (isFusable(logits)) return confidenceMap(logits, size, { indicator, logScale });
  return tidy(() => {
    const uncertainty = logScale && resizedRows(wholeRows(logScale), size);
    const source = resizedRows(wholeRows(logits), size);
    const reduce = (band: Tensor, from: number, to: number) => [
      confidence(indicator, {
        logLikelihoods: band.logSoftmax(1),
        logScale: uncertainty?.rows(from, to).select(1, 0),
      }),
    ];
    return collectRows(source, reduce, bandBytes)[0] as Tensor;
  });
}
