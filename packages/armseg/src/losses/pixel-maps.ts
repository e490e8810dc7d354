import type { Tensor } from "@armseg/torch";
import { confidence } from "../reweighting/indicators.ts";
import { logLikelihoods, upsampledLogScale } from "./class-likelihoods.ts";
import { checkLabels } from "./labels.ts";
import type { LossInputs, LossSettings } from "./loss-terms.ts";
import { ohemKept } from "./ohem.ts";
import { labelLogLikelihood, pixelLoss } from "./pixel-losses.ts";

/** A loss that is not a number: the network has diverged, or its input is broken. */
export class NonFiniteLossError extends Error {
  override readonly name = "NonFiniteLossError";
  readonly code = "ERR_NON_FINITE_LOSS";
}

/** The weights that a curve returns are NaN, infinite or negative: it has diverged, or is no curve of weights. */
export class InvalidCurveError extends Error {
  override readonly name = "InvalidCurveError";
  readonly code = "ERR_INVALID_CURVE";
}

/** What the objective is summed from, all `[N, H, W]` in the labels' resolution. */
export interface PixelMaps {
  /** Not ignored. bool. */
  readonly valid: Tensor;
  /** Valid, and chosen by OHEM if there is one. bool. */
  readonly kept: Tensor;
  /** l with class and pixel weights, 0 where not kept. */
  readonly lossMap: Tensor;
  /** Class weight × pixel weight, 0 where not kept. */
  readonly pixelWeight: Tensor;
  /** u in [−1, 1]. */
  readonly confidence: Tensor;
  /** ln p_y, of pixel values without meaning where ignored. */
  readonly logLikelihood: Tensor;
}

/**
 * Computes losses and confidences of all pixels, by ATen operators.
 *
 * @throws {LabelRangeError} If a label is no class.
 * @throws {NonFiniteLossError} If the loss of a valid pixel is NaN or infinite.
 */
export function pixelMaps(inputs: LossInputs, settings: LossSettings): PixelMaps {
  const { classes, valid } = checkLabels(inputs.labels, inputs.logits.size(1), settings.ignoreIndex);
  const { logitOffset } = inputs;
  const unshifted = logLikelihoods(inputs.logits, valid);
  const likelihoods = logitOffset ? shifted(unshifted, logitOffset) : unshifted;
  const logScale = inputs.logScale ? upsampledLogScale(inputs.logScale, valid) : null;
  const logLikelihood = labelLogLikelihood(likelihoods, classes);
  const weight = pixelWeight(inputs, settings, { classes, valid, like: likelihoods });
  const plain = pixelLoss(settings.pixelLoss, { logLikelihood, logScale }, settings);
  const ignored = valid.logicalNot();
  const lossMap = assertFinite(plain.mul(weight).maskedFill(ignored, 0));
  const kept = settings.ohem ? ohemKept(settings.ohem, { logLikelihood, lossMap, valid }) : valid;
  const left = kept.logicalNot();
  return {
    valid,
    kept,
    lossMap: settings.ohem ? lossMap.maskedFill(left, 0) : lossMap,
    pixelWeight: weight.maskedFill(left, 0),
    confidence: confidence(settings.indicator, { logLikelihoods: unshifted, logScale }, settings),
    logLikelihood,
  };
}

/** Returns ln softmax(z + offset) from ln softmax(z), `[N, C, H, W]`. */
function shifted(likelihoods: Tensor, offset: Tensor): Tensor {
  return likelihoods.add(offset.to(likelihoods.device, likelihoods.dtype).reshape([-1, 1, 1])).logSoftmax(1);
}

/** Returns the class weight of the label × the caller's weight map, `[N, H, W]`; finite where ignored. */
function pixelWeight(
  inputs: LossInputs,
  settings: LossSettings,
  pixels: { classes: Tensor; valid: Tensor; like: Tensor },
): Tensor {
  const { classes, valid, like } = pixels;
  const place = [like.device, like.dtype] as const;
  let weight = valid.to(...place);
  if (settings.classWeights) {
    const byClass = settings.classWeights.to(...place);
    weight = weight.mul(byClass.indexSelect(0, classes.reshape([-1])).reshape(classes.shape));
  }
  if (!inputs.pixelWeights) return weight;
  return weight.mul(inputs.pixelWeights.to(...place).maskedFill(valid.logicalNot(), 0));
}

function assertFinite(lossMap: Tensor): Tensor {
  const finite = lossMap.detach().isfinite();
  if (finite.all().item()) return lossMap;
  const broken = finite.logicalNot().sum().item();
  throw new NonFiniteLossError(
    `SegmentationLoss.call(): expected finite losses, got NaN or infinity at ${broken} valid pixels; ` +
      "look for NaN in the logits, logScale, the class weights and the weight map, and lower the learning rate if training diverged",
  );
}
