import type { Tensor } from "@armseg/torch";
import { argumentError } from "../core/argument-error.ts";

/** Online hard example mining: which pixels are kept, and what their sum is divided by. */
export interface OhemOptions {
  /** Pixels whose label is at least this likely are left out; `null` (mmseg only) keeps the largest losses. Default 0.7. */
  readonly threshold?: number | null;
  /** Pixels kept at least, if there are as many: of the process's batch (openseg) or of each image (mmseg). Default 100000. */
  readonly minKept?: number;
  /**
   * `openseg` (default): mean over the kept pixels. `mmseg`: minKept counts per image of the batch, and the sum is divided
   * by **all** pixels, ignored ones included.
   */
  readonly semantics?: "openseg" | "mmseg";
}

/** {@link OhemOptions} with the defaults filled in. */
export interface Ohem {
  readonly threshold: number | null;
  readonly minKept: number;
  readonly semantics: "openseg" | "mmseg";
}

/**
 * Fills in OCR's values, which are the paper's (threshold 0.7, 100,000 pixels).
 *
 * @throws {RangeError} If the threshold is not in [0, 1], or minKept is not a positive whole number.
 */
export function resolveOhem(options: OhemOptions): Ohem {
  const { threshold = 0.7, minKept = 100_000, semantics = "openseg" } = options;
  if (threshold !== null && !(threshold >= 0 && threshold <= 1)) {
    throw argumentError("resolveOhem", "a threshold in [0, 1]", threshold);
  }
  if (threshold === null && semantics === "openseg") {
    throw argumentError(
      "resolveOhem",
      "a threshold for semantics openseg",
      threshold,
      "take semantics mmseg",
    );
  }
  if (!(Number.isInteger(minKept) && minKept > 0)) {
    throw argumentError("resolveOhem", "minKept to be a positive whole number", minKept);
  }
  return { threshold, minKept, semantics };
}

/** Returns how many pixels are kept at least, over the whole batch. */
export function batchMinKept(ohem: Ohem, batchSize: number): number {
  return ohem.semantics === "mmseg" ? ohem.minKept * batchSize : ohem.minKept;
}

/** What the selection looks at, all `[N, H, W]`. */
export interface OhemSource {
  /** ln p_y of the label. */
  readonly logLikelihood: Tensor;
  readonly lossMap: Tensor;
  readonly valid: Tensor;
}

/**
 * Selects the pixels that OHEM keeps: p_y < max(threshold, the minKept-th smallest p_y), counted from 0.
 *
 * As in openseg's `OhemCrossEntropy` and mmsegmentation's `OHEMPixelSampler`, the pixel at the threshold itself is left
 * out; if fewer than minKept pixels are valid, the threshold is the largest p_y.
 *
 * @returns bool `[N, H, W]`, false where ignored.
 */
export function ohemKept(ohem: Ohem, source: OhemSource): Tensor {
  const { valid } = source;
  const kept = batchMinKept(ohem, valid.size(0));
  if (ohem.threshold === null) return largestLosses(source, kept);
  const likelihood = source.logLikelihood.detach().exp();
  const threshold = ohemThreshold(likelihood.maskedSelect(valid), ohem.threshold, kept);
  return likelihood.lt(threshold).logicalAnd(valid);
}

function ohemThreshold(likelihoods: Tensor, threshold: number, minKept: number): number {
  const count = likelihoods.numel;
  if (count === 0) return threshold;
  const [smallest] = likelihoods.kthvalue(Math.min(minKept, count - 1) + 1);
  return Math.max(smallest.item(), threshold);
}

/** Selects the `count` valid pixels of the largest loss; among equals, the first in reading order. */
function largestLosses({ lossMap, valid }: OhemSource, count: number): Tensor {
  const reach = lossMap.detach().maskedFill(valid.logicalNot(), Number.NEGATIVE_INFINITY).reshape([-1]);
  const [, order] = reach.sort({ stable: true, dim: 0, descending: true });
  const chosen = order.narrow(0, 0, Math.min(count, reach.numel));
  const isChosen = valid.reshape([-1]).zerosLike().scatter(0, chosen, 1);
  return isChosen.reshape(valid.shape).logicalAnd(valid);
}
