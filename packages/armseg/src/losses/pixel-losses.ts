import type { Tensor } from "@armseg/torch";
import { argumentError } from "../core/argument-error.ts";

/** The loss of one pixel, from the likelihood p_y of its label. */
export type PixelLoss = "ce" | "gce" | "focal" | "kl";

export interface PixelLossOptions {
  /** Exponent of `gce`, in (0, 1]: towards 0 it is CE, at 1 the mean absolute error. Default 0.1, the paper's. */
  readonly q?: number;
  /** Exponent of `focal`, at least 0. Default 2. */
  readonly gamma?: number;
}

export const DEFAULT_Q = 0.1;
export const DEFAULT_GAMMA = 2;

/** What a pixel's loss is computed from. */
export interface PixelLossSource {
  /** ln p_y of the label, `[N, H, W]`. */
  readonly logLikelihood: Tensor;
  /** Logarithm of the predicted uncertainty, `[N, H, W]`; needed by `kl` only. */
  readonly logScale?: Tensor | null | undefined;
}

/**
 * Returns ln p_y, the log-likelihood of each pixel's label.
 *
 * @param logLikelihoods - `[N, C, H, W]`.
 * @param classes - int64 `[N, H, W]`, in 0..C−1 everywhere.
 * @returns `[N, H, W]`.
 */
export function labelLogLikelihood(logLikelihoods: Tensor, classes: Tensor): Tensor {
  return logLikelihoods.gather(1, classes.unsqueeze(1)).squeeze(1);
}

/** Returns the cross entropy l = −ln p_y, in nats. */
export function crossEntropy(logLikelihood: Tensor): Tensor {
  return logLikelihood.neg();
}

/** Returns the generalised cross entropy: l = (1 − p_y^q)/q (Zhang and Sabuncu 2018, Eq. 6; q = 0.1 in the paper's section 4.3 and Table 4). */
export function generalisedCrossEntropy(logLikelihood: Tensor, q = DEFAULT_Q): Tensor {
  return logLikelihood.mul(q).expm1().div(-q);
}

/** Returns the focal loss l = −(1 − p_y)^γ · ln p_y (Lin et al. 2017, Eq. 4). */
export function focal(logLikelihood: Tensor, gamma = DEFAULT_GAMMA): Tensor {
  // The clamp keeps the slope of x^γ at 0 finite for γ < 1; the loss there is 0 anyway.
  const miss = logLikelihood.expm1().neg().clampMin(1e-12);
  return miss.pow(gamma).mul(logLikelihood).neg();
}

/**
 * Returns the KL loss with a predicted uncertainty: l = CE/s + ½·ln s, s = exp(logScale) (Liu et al. 2020, section 3.1, Eq. 1; compared
 * in section 4.3 and Table 4).
 *
 * For a given p_y it is least at ŝ = 2·CE = −2·ln p_y (Eq. 2), since dl/ds = −CE/s² + 1/(2s). It is negative where s is small
 * and the label is likely.
 */
export function uncertaintyLoss(logLikelihood: Tensor, logScale: Tensor): Tensor {
  return logScale.mul(0.5).sub(logLikelihood.mul(logScale.neg().exp()));
}

/**
 * Computes the loss of each pixel.
 *
 * @returns l, `[N, H, W]`, in nats; what it holds where the label is ignored is for the caller to leave out.
 * @throws {RangeError} If `kl` has no `logScale`.
 */
export function pixelLoss(kind: PixelLoss, source: PixelLossSource, options: PixelLossOptions = {}): Tensor {
  switch (kind) {
    case "ce":
      return crossEntropy(source.logLikelihood);
    case "gce":
      return generalisedCrossEntropy(source.logLikelihood, options.q);
    case "focal":
      return focal(source.logLikelihood, options.gamma);
    case "kl":
      if (!source.logScale) {
        throw argumentError("pixelLoss", "logScale of an uncertainty head for kl", "none", "add the head");
      }
      return uncertaintyLoss(source.logLikelihood, source.logScale);
  }
}
