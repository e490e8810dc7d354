import { noGrad, ops, type Tensor } from "@armseg/torch";

/** What one batch's loss was made of: sums over the kept pixels, of whatever type they are held in. */
export interface LossSums<T> {
  /** Number of pixels that are not ignored. */
  readonly validPixels: T;
  /** Number of pixels that OHEM kept; all valid ones without it. */
  readonly keptPixels: T;
  /** S1 = Σ w, with w = W(u); w is 1 without a curve. */
  readonly weightSum: T;
  /** Sp = Σ w^p. */
  readonly weightPowerSum: T;
  /** SL = Σ w·l. */
  readonly weightedLossSum: T;
  /** Σ l, in nats, class and pixel weights included. */
  readonly lossSum: T;
  /** Σ of class weight × pixel weight: the divisor of PyTorch's own weighted mean. */
  readonly pixelWeightSum: T;
  /** Σ u. */
  readonly confidenceSum: T;
  /** Σ p_y, the likelihoods of the labels. */
  readonly likelihoodSum: T;
  /** Σ w². */
  readonly weightSquareSum: T;
}

/** The same by confidence, one entry per knot of the curve; every pixel is shared between the two knots next to it. */
export interface BinSums<T> {
  /** Number of pixels. */
  readonly count: T;
  /** Σ w. */
  readonly weightSum: T;
  /** Σ l, in nats. */
  readonly lossSum: T;
  /** Σ w^(p−1). */
  readonly weightPowerSum: T;
}

/** The sums in the order in which the kernels write them; a test compares it with `armseg::loss_layout`. */
export const LOSS_SUMS = [
  "validPixels",
  "keptPixels",
  "weightSum",
  "weightPowerSum",
  "weightedLossSum",
  "lossSum",
  "pixelWeightSum",
  "confidenceSum",
  "likelihoodSum",
  "weightSquareSum",
] as const satisfies readonly (keyof LossSums<unknown>)[];

/** The rows of the bins in the order in which the kernels write them. */
export const BIN_SUMS = [
  "count",
  "weightSum",
  "lossSum",
  "weightPowerSum",
] as const satisfies readonly (keyof BinSums<unknown>)[];

/** A report on one batch's loss: float64 tensors on the loss's device, without gradient. Each named one is a view, `[]`. */
export interface LossReport extends LossSums<Tensor> {
  /** All sums together, `[10]`, in the order of {@link LOSS_SUMS}. */
  readonly sums: Tensor;
  /** The sums by confidence; `null` without a curve. */
  readonly bins: LossBins | null;
}

/** Sums by confidence: float64 tensors. Each named one is a view, `[K + 1]`. */
export interface LossBins extends BinSums<Tensor> {
  /** All rows together, `[4, K + 1]`, in the order of {@link BIN_SUMS}. */
  readonly sums: Tensor;
}

/** A {@link LossReport} read into numbers. */
export interface LossFigures extends LossSums<number> {
  readonly meanConfidence: number;
  /** Mean likelihood of the label. */
  readonly meanLikelihood: number;
  /** S1²/Σw²: how many pixels of equal weight would vary as much. */
  readonly effectivePixels: number;
  /** No valid pixel, or no weight: the loss was 0 with zero gradient. */
  readonly isEmpty: boolean;
}

/**
 * Names what a kernel, or a sum over several of its reports, holds.
 *
 * @param sums - `[10]`.
 * @param bins - `[4, K + 1]`, or `[4, 0]` where there is no curve.
 */
export function lossReport(sums: Tensor, bins: Tensor): LossReport {
  return { ...named(LOSS_SUMS, sums.unbind(0)), sums, bins: bins.size(1) > 0 ? lossBins(bins) : null };
}

/** Names the rows of bins, `[4, K + 1]`. */
export function lossBins(sums: Tensor): LossBins {
  return { ...named(BIN_SUMS, sums.unbind(0)), sums };
}

/**
 * Returns all numbers of a report in one tensor, to be sent or added up together: `[10 + 4·(K + 1)]`, or `[10]`
 * without a curve. {@link unpackLossReport} is the inverse.
 */
export function packLossReport({ sums, bins }: LossReport): Tensor {
  return noGrad(() => (bins ? ops.cat([sums, bins.sums.reshape([-1])]) : sums.clone()));
}

/** Returns the report that was packed; its tensors are views of `packed`. */
export function unpackLossReport(packed: Tensor): LossReport {
  const binned = packed.numel - LOSS_SUMS.length;
  const knots = binned / BIN_SUMS.length;
  const bins = packed.narrow(0, LOSS_SUMS.length, binned).view([BIN_SUMS.length, knots]);
  return lossReport(packed.narrow(0, 0, LOSS_SUMS.length), bins);
}

/** Reads the sums of a report, without its bins; waits for the device. */
export function readLossReport({ sums }: LossReport): LossFigures {
  const found = named(LOSS_SUMS, [...(sums.toTypedArray() as Float64Array)]);
  const { keptPixels, weightSum } = found;
  return {
    ...found,
    meanConfidence: ratio(found.confidenceSum, keptPixels),
    meanLikelihood: ratio(found.likelihoodSum, keptPixels),
    effectivePixels: ratio(weightSum ** 2, found.weightSquareSum),
    isEmpty: keptPixels === 0 || weightSum === 0,
  };
}

/**
 * Names the rows of bins that were read from a device.
 *
 * @param values - `[4, K + 1]`, row-major.
 * @returns Parts of `values`, not copies.
 */
export function namedBins(values: Float64Array): BinSums<Float64Array> {
  const knots = values.length / BIN_SUMS.length;
  return named(
    BIN_SUMS,
    BIN_SUMS.map((_, row) => values.subarray(row * knots, (row + 1) * knots)),
  );
}

function named<Name extends string, T>(names: readonly Name[], values: readonly T[]): Record<Name, T> {
  return Object.fromEntries(names.map((name, i) => [name, values[i]])) as Record<Name, T>;
}

function ratio(a: number, b: number): number {
  return b === 0 ? 0 : a / b;
}
