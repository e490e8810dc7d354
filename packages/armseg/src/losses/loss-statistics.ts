import type { Tensor } from "@armseg/torch";

/** What one batch's loss was made of; sums run over the kept pixels. */
export interface LossStatistics {
  /** Pixels that are not ignored. */
  readonly validPixels: number;
  /** Pixels that OHEM kept; all valid ones without it. */
  readonly keptPixels: number;
  /** S1 = Σ w. */
  readonly weightSum: number;
  /** Sp = Σ w^p. */
  readonly weightPowerSum: number;
  /** SL = Σ w·l. */
  readonly weightedLossSum: number;
  /** Σ l, class and pixel weights included. */
  readonly lossSum: number;
  /** Σ of class weight × pixel weight: the divisor of PyTorch's own weighted mean. */
  readonly pixelWeightSum: number;
  readonly meanConfidence: number;
  /** Mean likelihood of the label. */
  readonly meanLikelihood: number;
  /** S1²/Σw²: how many pixels of equal weight would vary as much. */
  readonly effectivePixels: number;
  /** No valid pixel, or no weight: the loss was 0 with zero gradient. */
  readonly isEmpty: boolean;
}

/**
 * The sums of {@link LossTerms.statistics} by name; waits for the device.
 *
 * @param statistics - float64 `[10]`.
 */
export function readLossStatistics(statistics: Tensor): LossStatistics {
  const values = Array.from(statistics.toTypedArray() as Float64Array);
  const at = (index: number): number => values[index] ?? 0;
  const [validPixels, keptPixels, weightSum] = [at(0), at(1), at(2)];
  return {
    validPixels,
    keptPixels,
    weightSum,
    weightPowerSum: at(3),
    weightedLossSum: at(4),
    lossSum: at(5),
    pixelWeightSum: at(6),
    meanConfidence: ratio(at(7), keptPixels),
    meanLikelihood: ratio(at(8), keptPixels),
    effectivePixels: ratio(weightSum ** 2, at(9)),
    isEmpty: keptPixels === 0 || weightSum === 0,
  };
}

function ratio(a: number, b: number): number {
  return b === 0 ? 0 : a / b;
}
