import {
  BIN_SUMS,
  type BinSums,
  LOSS_SUMS,
  type LossReport,
  type LossSums,
  lossReport,
} from "@armseg/kernels";
import { noGrad, ops, type Tensor, tidy } from "@armseg/torch";
import { applyCurve, interpolateKnots, knotPosition, sampleCurve } from "../reweighting/curve.ts";
import { objective } from "../reweighting/objective.ts";
import type { LossInputs, LossRun, LossSettings, LossTerms } from "./loss-terms.ts";
import { divisorOf } from "./loss-terms.ts";
import type { PixelMaps } from "./pixel-maps.ts";
import { InvalidCurveError, pixelMaps } from "./pixel-maps.ts";

/** Whether the curve is called on every pixel, or on its knots and interpolated as the fused kernel does. */
export type CurveEvaluation = "exact" | "knots";

/**
 * Computes the segmentation loss from ATen operators: every option, any device, the reference that the kernel is held to.
 *
 * It makes the full-resolution logits, and a dozen maps of the labels' size.
 *
 * @param evaluation - Default exact; `knots` is for comparing with the fused kernel.
 */
export function composedLoss(
  inputs: LossInputs,
  settings: LossSettings,
  run: LossRun,
  evaluation: CurveEvaluation = "exact",
): LossTerms {
  return tidy(() => {
    const maps = pixelMaps(inputs, { ...settings, detach: settings.detach || run.isIsolated });
    const weights = curveWeights(settings, maps, evaluation);
    const dtype = maps.lossMap.dtype;
    const mean = meanLoss(maps, settings).to(dtype);
    const fixed = run.isIsolated ? maps.lossMap.detach() : maps.lossMap;
    const q = weights
      ? objective(weights, fixed, settings.p).to(dtype)
      : run.isIsolated
        ? mean.detach()
        : mean;
    return {
      objective: q,
      meanLoss: run.isIsolated ? mean : mean.detach(),
      ...described(maps, weights, settings, run),
    };
  });
}

/** W(u), 0 where not kept; `null` without a curve. */
function curveWeights(settings: LossSettings, maps: PixelMaps, evaluation: CurveEvaluation): Tensor | null {
  const { curve, curveIntervals } = settings;
  if (!curve) return null;
  const u = maps.confidence;
  const weights =
    evaluation === "exact"
      ? applyCurve(curve, u)
      : interpolateKnots(sampleCurve(curve, { intervals: curveIntervals, like: u }), u);
  return assertWeights(weights.maskedFill(maps.kept.logicalNot(), 0));
}

function assertWeights(weights: Tensor): Tensor {
  const wrong = weights.detach().ge(0).logicalNot();
  if (!wrong.any().item()) return weights;
  const first = weights.detach().maskedSelect(wrong).select(0, 0).item();
  throw new InvalidCurveError(
    `SegmentationLoss.call(): expected a curve of weights that are finite and not negative, got ${first}; end the curve in a sigmoid, or clamp it`,
  );
}

/** Σ l divided by the kept pixels, or by all pixels; 0 if there are none. Float64 `[]`. */
function meanLoss(maps: PixelMaps, settings: LossSettings): Tensor {
  const total = maps.lossMap.sum({ dtype: "float64" });
  if (divisorOf(settings) === "all") return total.div(maps.kept.numel);
  return total.div(maps.kept.sum().clampMin(1));
}

/** Makes the report, and samples the curve at its knots. */
function described(
  maps: PixelMaps,
  weights: Tensor | null,
  settings: LossSettings,
  run: LossRun,
): Pick<LossTerms, "report" | "knots"> {
  return noGrad(() => {
    const { curve, curveIntervals: intervals } = settings;
    const knots = curve ? sampleCurve(curve, { intervals, like: maps.confidence }) : null;
    return { report: run.hasReport ? makeReport(maps, weights, settings) : null, knots };
  });
}

function makeReport(
  maps: PixelMaps,
  weights: Tensor | null,
  { curve, curveIntervals, p }: LossSettings,
): LossReport {
  const pixels = keptPixels(maps, weights);
  const bins = curve
    ? binSums(pixels, curveIntervals, p)
    : ops.zeros([BIN_SUMS.length, 0], { dtype: "float64", device: maps.lossMap.device });
  return lossReport(sums(pixels, maps.valid, p), bins);
}

/** The kept pixels in a row, float64 `[M]`. */
interface KeptPixels {
  readonly weight: Tensor;
  readonly loss: Tensor;
  readonly pixelWeight: Tensor;
  readonly confidence: Tensor;
  readonly likelihood: Tensor;
}

function keptPixels(maps: PixelMaps, weights: Tensor | null): KeptPixels {
  const pick = (map: Tensor): Tensor => map.maskedSelect(maps.kept).to("float64");
  return {
    weight: pick(weights ?? maps.kept),
    loss: pick(maps.lossMap),
    pixelWeight: pick(maps.pixelWeight),
    confidence: pick(maps.confidence),
    likelihood: pick(maps.logLikelihood).exp(),
  };
}

/** All sums, float64 `[10]`. */
function sums(pixels: KeptPixels, valid: Tensor, p: number): Tensor {
  const { weight, loss } = pixels;
  const found: LossSums<Tensor> = {
    validPixels: valid.sum({ dtype: "float64" }),
    keptPixels: ops.full([], weight.numel, { dtype: "float64", device: weight.device }),
    weightSum: weight.sum(),
    weightPowerSum: weight.pow(p).sum(),
    weightedLossSum: weight.mul(loss).sum(),
    lossSum: loss.sum(),
    pixelWeightSum: pixels.pixelWeight.sum(),
    confidenceSum: pixels.confidence.sum(),
    likelihoodSum: pixels.likelihood.sum(),
    weightSquareSum: weight.mul(weight).sum(),
  };
  return ops.stack(LOSS_SUMS.map((name) => found[name]));
}

/** Sums at each knot, every pixel split between its two neighbours. Float64 `[4, K + 1]`. */
function binSums(pixels: KeptPixels, intervals: number, p: number): Tensor {
  const { weight, loss, confidence } = pixels;
  const { lower, fraction } = knotPosition(confidence, intervals);
  const addends: BinSums<Tensor> = {
    count: weight.onesLike(),
    weightSum: weight,
    lossSum: loss,
    weightPowerSum: weight.pow(p - 1),
  };
  const rows = ops.stack(BIN_SUMS.map((name) => addends[name]));
  const bins = ops.zeros([BIN_SUMS.length, intervals + 1], { dtype: "float64", device: weight.device });
  const right = rows.mul(fraction);
  return bins.indexAdd(1, lower, rows.sub(right)).indexAdd(1, lower.add(1), right);
}
