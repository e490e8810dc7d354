import type { Tensor } from "@armseg/torch";
import { kernel } from "./library.ts";
import { type LossReport, lossReport } from "./loss-report.ts";

/** Names of the confidence indicators. */
export type IndicatorName = "var" | "std" | "logVar" | "entropy" | "kl";
/** Names of the pixel losses. */
export type PixelLossName = "ce" | "gce" | "focal" | "kl";

/** What the loss of a pixel is made of. */
export interface PixelOptions {
  readonly indicator?: IndicatorName;
  readonly pixelLoss?: PixelLossName;
  /** Exponent of `gce`. Default 0.1. */
  readonly q?: number;
  /** Exponent of `focal`. Default 2. */
  readonly gamma?: number;
  /** Label of pixels that take part in nothing. Default 255, which the kernels state for themselves: they know no other package. */
  readonly ignoreIndex?: number;
}

export interface ReweightedLossInputs {
  /** `[N, C, h, w]`, float32, bfloat16 or float16, C from 2 to 256. */
  readonly logits: Tensor;
  /** `[N, H, W]`, uint8 or int64. */
  readonly labels: Tensor;
  /** The curve on K + 1 even knots over [−1, 1], float32, not negative; without it every weight is 1. */
  readonly knots?: Tensor | null;
  /** `[N, h, w]` or `[N, 1, h, w]`. */
  readonly logScale?: Tensor | null;
  /** `[C]`, float32. */
  readonly classWeights?: Tensor | null;
  /** `[N, H, W]`, float32. */
  readonly pixelWeights?: Tensor | null;
  /** float32 `[]`: pixels of p_y ≥ this are left out. From {@link ohemThreshold}. */
  readonly keepBelow?: Tensor | null;
  /**
   * float32 `[C]`, positive: the confidence is read from softmax(z + ln confidenceScale), the loss from softmax(z). On the CPU only.
   */
  readonly confidenceScale?: Tensor | null;
}

export interface ReweightedLossOptions extends PixelOptions {
  /** Norm of the weights, at least 1. Default 2. */
  readonly p?: number;
  /** Divisor of the mean loss. Default valid. */
  readonly normalise?: "valid" | "all";
  /** Whether Q differentiates to the knots only, and the mean to logits and logScale only. Default false. */
  readonly isolated?: boolean;
  /** Whether there is a report. Default true. */
  readonly statistics?: boolean;
}

export interface ReweightedLoss {
  /** Q, float32 `[]`. */
  readonly objective: Tensor;
  /** Mean loss, float32 `[]`. */
  readonly mean: Tensor;
  /** `null` without `statistics`. */
  readonly report: LossReport | null;
}

/**
 * Computes the reweighted loss in one pass: bilinear upsampling, softmax, confidence, weight, loss, and the gradient already pulled
 * back to the logits' resolution.
 *
 * @throws {Error} If a label is out of range, or the loss of a valid pixel is not finite.
 */
export function reweightedLoss(
  inputs: ReweightedLossInputs,
  options: ReweightedLossOptions = {},
): ReweightedLoss {
  const { logits, labels, knots, logScale, classWeights, pixelWeights, keepBelow, confidenceScale } = inputs;
  const extras = [knots, logScale, classWeights, pixelWeights, keepBelow, confidenceScale].map(
    (extra) => extra ?? null,
  );
  const [objective, mean, statistics, bins] = kernel("reweighted_loss")(logits, labels, ...extras, {
    ...options,
  }) as [Tensor, Tensor, Tensor, Tensor];
  return { objective, mean, report: options.statistics === false ? null : lossReport(statistics, bins) };
}

/**
 * Returns the likelihood below which OHEM keeps a pixel: max(threshold, the minKept-th smallest p_y).
 *
 * @returns float32 `[]`, for {@link ReweightedLossInputs.keepBelow}.
 */
export function ohemThreshold(
  logits: Tensor,
  labels: Tensor,
  options: { readonly threshold?: number; readonly minKept?: number; readonly ignoreIndex?: number } = {},
): Tensor {
  return kernel("ohem_threshold")(logits, labels, { ...options }) as Tensor;
}

/**
 * Returns the confusion matrix of upsampled logits, without full-resolution logits.
 *
 * @returns int64 `[C, C]`, rows labels, columns predictions.
 */
export function confusion(
  logits: Tensor,
  labels: Tensor,
  options: { readonly ignoreIndex?: number } = {},
): Tensor {
  return kernel("confusion")(logits, labels, { ...options }) as Tensor;
}

/** Returns the most likely class of each pixel of upsampled logits, uint8 `[N, H, W]`, without full-resolution logits. */
export function predict(logits: Tensor, size: readonly [height: number, width: number]): Tensor {
  return kernel("predict")(logits, size) as Tensor;
}

/** Returns the confidence u of each pixel of upsampled logits, float32 `[N, H, W]`. */
export function confidenceMap(
  logits: Tensor,
  size: readonly [height: number, width: number],
  options: { readonly indicator?: IndicatorName; readonly logScale?: Tensor | null } = {},
): Tensor {
  const { indicator = "var", logScale = null } = options;
  return kernel("confidence")(logits, size, logScale, { indicator }) as Tensor;
}

export interface KernelPixelMaps {
  /** u, also where ignored. */
  readonly confidence: Tensor;
  /** l, 0 where ignored. */
  readonly loss: Tensor;
  /** W(u), 0 where ignored; divide by its sum for w̃. */
  readonly weight: Tensor;
  /** p_y, 0 where ignored. */
  readonly likelihood: Tensor;
}

/** Returns what {@link reweightedLoss} sums, as float32 maps `[N, H, W]`; without gradient. */
export function pixelMaps(
  inputs: Omit<ReweightedLossInputs, "keepBelow" | "confidenceScale">,
  options: PixelOptions = {},
): KernelPixelMaps {
  const { logits, labels, knots, logScale, classWeights, pixelWeights } = inputs;
  const extras = [knots, logScale, classWeights, pixelWeights].map((extra) => extra ?? null);
  const [confidence, loss, weight, likelihood] = kernel("pixel_maps")(logits, labels, ...extras, {
    ...options,
  }) as [Tensor, Tensor, Tensor, Tensor];
  return { confidence, loss, weight, likelihood };
}

/** Returns the instruction set that the kernels use here; ARMSEG_CPU_CAPABILITY lowers it. */
export function cpuCapability(): "avx512" | "avx2" | "baseline" {
  return kernel("cpu_capability")() as "avx512" | "avx2" | "baseline";
}

/**
 * Returns why the fused operators cannot run on a GPU, in one line, or `null` if they can. The first call for a device
 * compiles and loads its kernels, which takes seconds unless an earlier process left them in `~/.cache/armseg`.
 *
 * @param device - Index of the CUDA device. Default 0.
 */
export function unsupportedCudaReason(device = 0): string | null {
  return (kernel("cuda_status")(device) as string) || null;
}
