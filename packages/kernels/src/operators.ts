import type { Tensor } from "@armseg/torch";
import { kernel } from "./kernel.ts";

/** Names of the confidence indicators. */
export type IndicatorName = "var" | "std" | "logVar" | "entropy" | "kl";
/** Names of the pixel losses. */
export type PixelLossName = "ce" | "gce" | "focal" | "kl";

/** What the loss of a pixel is made of. */
export interface PixelOptions {
  readonly indicator?: IndicatorName;
  readonly loss?: PixelLossName;
  /** Exponent of `gce`. Default 0.1. */
  readonly q?: number;
  /** Exponent of `focal`. Default 2. */
  readonly gamma?: number;
  /** Default 255. */
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
  readonly logS?: Tensor | null;
  /** `[C]`, float32. */
  readonly classWeights?: Tensor | null;
  /** `[N, H, W]`, float32. */
  readonly pixelWeights?: Tensor | null;
  /** float32 `[]`: pixels of p_y ≥ this are left out. From {@link ohemThreshold}. */
  readonly keepBelow?: Tensor | null;
}

export interface ReweightedLossOptions extends PixelOptions {
  /** Norm of the weights, at least 1. Default 2. */
  readonly p?: number;
  /** Divisor of the mean loss. Default valid. */
  readonly normalise?: "valid" | "all";
  /** Whether Q differentiates to the knots only, and the mean to logits and logS only. Default false. */
  readonly isolated?: boolean;
  /** Default true. */
  readonly statistics?: boolean;
}

export interface ReweightedLoss {
  /** Q, float32 `[]`. */
  readonly objective: Tensor;
  /** Mean loss, float32 `[]`. */
  readonly mean: Tensor;
  /** float64 `[10]`: valid pixels, kept pixels, Σw, Σw^p, Σwl, Σl, Σ class × pixel weight, Σu, Σp_y, Σw². */
  readonly statistics: Tensor;
  /** float64 `[4, K + 1]`: count, Σw, Σl, Σw^(p−1) at each knot. `[4, 0]` without knots. */
  readonly bins: Tensor;
}

/**
 * The reweighted loss in one pass: bilinear upsampling, softmax, confidence, weight, loss, and the gradient already pulled
 * back to the logits' resolution.
 *
 * @throws {Error} If a label is out of range, or the loss of a valid pixel is not finite.
 */
export function reweightedLoss(
  inputs: ReweightedLossInputs,
  options: ReweightedLossOptions = {},
): ReweightedLoss {
  const { logits, labels, knots, logS, classWeights, pixelWeights, keepBelow } = inputs;
  const extras = [knots, logS, classWeights, pixelWeights, keepBelow].map((extra) => extra ?? null);
  const [objective, mean, statistics, bins] = kernel("reweighted_loss")(logits, labels, ...extras, {
    ...options,
  }) as [Tensor, Tensor, Tensor, Tensor];
  return { objective, mean, statistics, bins };
}

/**
 * The likelihood below which OHEM keeps a pixel: max(threshold, the minKept-th smallest p_y).
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
 * Confusion matrix of upsampled logits, without full-resolution logits.
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

/** The most likely class of each pixel of upsampled logits, uint8 `[N, H, W]`, without full-resolution logits. */
export function predict(logits: Tensor, size: readonly [height: number, width: number]): Tensor {
  return kernel("predict")(logits, size) as Tensor;
}

/** The confidence u of each pixel of upsampled logits, float32 `[N, H, W]`. */
export function confidenceMap(
  logits: Tensor,
  size: readonly [height: number, width: number],
  options: { readonly indicator?: IndicatorName; readonly logS?: Tensor | null } = {},
): Tensor {
  const { indicator = "var", logS = null } = options;
  return kernel("confidence")(logits, size, logS, { indicator }) as Tensor;
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

/** What {@link reweightedLoss} sums, as float32 maps `[N, H, W]`; without gradient. */
export function pixelMaps(
  inputs: Omit<ReweightedLossInputs, "keepBelow">,
  options: PixelOptions = {},
): KernelPixelMaps {
  const { logits, labels, knots, logS, classWeights, pixelWeights } = inputs;
  const extras = [knots, logS, classWeights, pixelWeights].map((extra) => extra ?? null);
  const [confidence, loss, weight, likelihood] = kernel("pixel_maps")(logits, labels, ...extras, {
    ...options,
  }) as [Tensor, Tensor, Tensor, Tensor];
  return { confidence, loss, weight, likelihood };
}

/** Instruction set that the kernels use here; ARMSEG_CPU_CAPABILITY lowers it. */
export function cpuCapability(): "avx512" | "avx2" | "baseline" {
  return kernel("cpu_capability")() as "avx512" | "avx2" | "baseline";
}

/**
 * Why the fused operators cannot run on a GPU: one line, or "" if they can. The first call for a device compiles and loads
 * its kernels, which takes seconds unless an earlier process left them in `~/.cache/armseg`.
 *
 * @param device Index of the CUDA device. Default 0.
 */
export function whyNoCudaKernels(device = 0): string {
  return kernel("cuda_status")(device) as string;
}
