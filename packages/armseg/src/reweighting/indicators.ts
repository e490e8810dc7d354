import type { Tensor } from "@armseg/torch";
import { argumentError } from "../core/argument-error.ts";

/** A confidence indicator of DESIGN's table; the paper's Table 2 compares the first four. */
export type Indicator = "var" | "std" | "logVar" | "entropy" | "kl";

/** What a confidence can be read from. */
export interface ConfidenceSource {
  /** ln p of the class likelihoods, `[N, C, H, W]`. */
  readonly logLikelihoods: Tensor;
  /** Logarithm of the predicted uncertainty s, `[N, H, W]`; needed by `kl` only. */
  readonly logScale?: Tensor | null | undefined;
}

/** Below this normalised variance, `logVar` calls every pixel equally unconfident. */
const LEAST_VARIANCE = 1e-4;

/**
 * Returns the variance of the class likelihoods over its largest possible value: t = v·C²/(C−1), v = (1/C) Σ_c (p_c − 1/C)² (Liu et al.
 * 2020, section 3.2).
 *
 * The paper writes v without 1/C, but the range [0, (C−1)/C²] that it states holds for the mean only. Summing squared
 * deviations, and not Σp² − 1/C, keeps the digits of pixels that are nearly uniform.
 *
 * @param logLikelihoods - `[N, C, H, W]`, floating point.
 * @returns t in [0, 1], `[N, H, W]`.
 */
export function normalisedVariance(logLikelihoods: Tensor): Tensor {
  const classes = logLikelihoods.size(1);
  const deviation = logLikelihoods.exp().sub(1 / classes);
  return deviation
    .mul(deviation)
    .sum([1])
    .mul(classes / (classes - 1))
    .clamp(0, 1);
}

/** Returns `var`, the paper's choice, the variance normalised: u = 2C²/(C−1)·v − 1 (section 3.2 and Figure 5), `[N, H, W]`. */
export function varianceConfidence(logLikelihoods: Tensor): Tensor {
  return normalisedVariance(logLikelihoods).mul(2).sub(1);
}

/** Returns `std`: u = 2·√t − 1, `[N, H, W]`. The root's infinite slope at t = 0 is replaced by 0. */
export function deviationConfidence(logLikelihoods: Tensor): Tensor {
  const t = normalisedVariance(logLikelihoods);
  const isUniform = t.eq(0);
  const root = t.maskedFill(isUniform, 1).sqrt().maskedFill(isUniform, 0);
  return root.mul(2).sub(1);
}

/** Returns `logVar`: u = 1 + 2·ln(max(t, 1e-4)) / ln(1e4), `[N, H, W]`. The normalisation is ours, the paper gives none. */
export function logVarianceConfidence(logLikelihoods: Tensor): Tensor {
  const t = normalisedVariance(logLikelihoods).clampMin(LEAST_VARIANCE);
  return t
    .log()
    .mul(-2 / Math.log(LEAST_VARIANCE))
    .add(1);
}

/** Returns `entropy`: u = 1 − 2·H(p)/ln C, H = −Σ p ln p from the log-softmax, `[N, H, W]`. */
export function entropyConfidence(logLikelihoods: Tensor): Tensor {
  const negativeEntropy = logLikelihoods.exp().mul(logLikelihoods).sum([1]);
  return negativeEntropy
    .mul(2 / Math.log(logLikelihoods.size(1)))
    .add(1)
    .clamp(-1, 1);
}

/**
 * Returns `kl`: u = (1 − s)/(1 + s) = −tanh(logScale/2), of the uncertainty s = exp(logScale) that the KL loss predicts.
 *
 * With the KL loss as pixel loss it is the paper's "KL + ARM" (section 4.3, Table 4), which feeds s to ARM.
 *
 * @param logScale - `[N, H, W]`.
 */
export function uncertaintyConfidence(logScale: Tensor): Tensor {
  return logScale.mul(-0.5).tanh();
}

/** Each indicator as a function of its source; to be called through {@link confidence}. */
const indicators: Readonly<Record<Indicator, (source: ConfidenceSource) => Tensor>> = {
  var: ({ logLikelihoods }) => varianceConfidence(logLikelihoods),
  std: ({ logLikelihoods }) => deviationConfidence(logLikelihoods),
  logVar: ({ logLikelihoods }) => logVarianceConfidence(logLikelihoods),
  entropy: ({ logLikelihoods }) => entropyConfidence(logLikelihoods),
  kl: ({ logScale }) => {
    if (!logScale) {
      const expected = "logScale of an uncertainty head for indicator kl";
      throw argumentError("confidence", expected, "none", "add the head");
    }
    return uncertaintyConfidence(logScale);
  },
};

/** The names of all indicators. */
export const INDICATORS = Object.keys(indicators) as readonly Indicator[];

/**
 * Returns the confidence u of every pixel, −1 least and +1 most confident.
 *
 * This is the one place where the confidence is cut off from the network. With the gradient let through, the network
 * lowers Q by moving its confidence in place of its losses, and collapses (Table 1: mIoU 4.03 in place of 72.13).
 *
 * @param options.detach - Whether no gradient flows back through u. Default true; false reproduces the collapse.
 * @returns `[N, H, W]` in [−1, 1], of the source's dtype.
 * @throws {RangeError} If there are fewer than two classes, or `kl` has no `logScale`.
 */
export function confidence(
  indicator: Indicator,
  source: ConfidenceSource,
  options: { detach?: boolean } = {},
): Tensor {
  const classes = source.logLikelihoods.size(1);
  if (classes < 2) throw argumentError("confidence", "at least 2 classes", classes);
  const isDetached = options.detach ?? true;
  if (!isDetached) return indicators[indicator](source);
  return indicators[indicator]({
    logLikelihoods: source.logLikelihoods.detach(),
    logScale: source.logScale?.detach(),
  });
}
