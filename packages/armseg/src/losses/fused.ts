import { ohemThreshold, reweightedLoss, whyNoKernels } from "@armseg/kernels";
import type { Tensor } from "@armseg/torch";
import { tidy } from "@armseg/torch";
import { sampleCurve } from "../reweighting/curve.ts";
import { namingErrors } from "./kernel-errors.ts";
import type { LossInputs, LossRun, LossSettings, LossTerms } from "./loss-terms.ts";
import { divisorOf } from "./loss-terms.ts";
import { batchMinKept } from "./ohem.ts";

/**
 * Why the fused kernel cannot compute this, or `null` if it can.
 *
 * It looks at the settings, and whether there are kernels for the logits.
 */
export function whyNotFused(logits: Tensor, settings: LossSettings): string | null {
  if (!settings.detach) return "detach: false needs the gradient of the confidence";
  if (settings.ohem?.threshold === null) return "OHEM without a threshold sorts the losses";
  return whyNoKernels(logits);
}

/**
 * The segmentation loss in one pass over the pixels, by the kernel `armseg::reweighted_loss`.
 *
 * All that the kernel sees of the curve is its value at the knots; autograd takes the gradient from there to the
 * parameters. It agrees with {@link composedLoss} to 1e-4.
 */
export function fusedLoss(inputs: LossInputs, settings: LossSettings, run: LossRun): LossTerms {
  return tidy(() => {
    const { logits, labels } = inputs;
    const { curve, curveIntervals: intervals, ohem, ignoreIndex, indicator, q, gamma, p } = settings;
    const knots = curve ? sampleCurve(curve, { intervals }) : null;
    const keepBelow = ohem
      ? namingErrors(() =>
          ohemThreshold(logits, labels, {
            threshold: ohem.threshold ?? 1,
            minKept: batchMinKept(ohem, labels.size(0)),
            ignoreIndex,
          }),
        )
      : null;
    const { objective, mean, statistics, bins } = namingErrors(() =>
      reweightedLoss(
        {
          logits,
          labels,
          knots,
          logS: inputs.logS ?? null,
          classWeights: settings.classWeights?.to("float32") ?? null,
          pixelWeights: inputs.pixelWeights?.to("float32") ?? null,
          keepBelow,
        },
        {
          indicator,
          loss: settings.pixelLoss,
          q,
          gamma,
          p,
          ignoreIndex,
          normalise: divisorOf(settings),
          isolated: run.isIsolated,
          statistics: run.hasStatistics,
        },
      ),
    );
    return { objective, meanLoss: mean, statistics, bins, knots: knots?.detach() ?? null };
  });
}
