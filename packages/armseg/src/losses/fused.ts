import { ohemThreshold, reweightedLoss, unsupportedReason as unsupportedByKernels } from "@armseg/kernels";
import { tidy } from "@armseg/torch";
import { sampleCurve } from "../reweighting/curve.ts";
import { LabelRangeError } from "./labels.ts";
import type { LossInputs, LossRun, LossSettings, LossTerms } from "./loss-terms.ts";
import { divisorOf } from "./loss-terms.ts";
import { batchMinKept } from "./ohem.ts";
import { InvalidCurveError, NonFiniteLossError } from "./pixel-maps.ts";

/**
 * Returns why the fused kernel cannot compute a loss, or `null` if it can.
 *
 * It looks at the settings, and whether there are kernels for the logits.
 */
export function unsupportedReason(
  { logits, logitOffset }: Pick<LossInputs, "logits" | "logitOffset">,
  settings: LossSettings,
): string | null {
  if (!settings.detach) return "detach: false needs the gradient of the confidence";
  if (settings.ohem?.threshold === null) return "OHEM without a threshold sorts the losses";
  if (logitOffset && logits.device !== "cpu") return "logitOffset on a GPU";
  return unsupportedByKernels(logits);
}

/**
 * Computes the segmentation loss in one pass over the pixels, by the kernel `armseg::reweighted_loss`.
 *
 * All that the kernel sees of the curve is its value at the knots; autograd takes the gradient from there to the
 * parameters. It agrees with {@link composedLoss} to 1e-4.
 */
export function fusedLoss(inputs: LossInputs, settings: LossSettings, run: LossRun): LossTerms {
  return tidy(() => {
    const { labels, logitOffset } = inputs;
    // Bilinear weights sum to 1: an offset per class commutes with the upsampling.
    const logits = logitOffset ? inputs.logits.add(logitOffset.reshape([-1, 1, 1])) : inputs.logits;
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
    const { objective, mean, report } = namingErrors(() =>
      reweightedLoss(
        {
          logits,
          labels,
          knots,
          logScale: inputs.logScale ?? null,
          classWeights: settings.classWeights?.to("float32") ?? null,
          pixelWeights: inputs.pixelWeights?.to("float32") ?? null,
          keepBelow,
          confidenceScale: logitOffset?.neg().exp() ?? null,
        },
        {
          indicator,
          pixelLoss: settings.pixelLoss,
          q,
          gamma,
          p,
          ignoreIndex,
          normalise: divisorOf(settings),
          isolated: run.isIsolated,
          statistics: run.hasReport,
        },
      ),
    );
    return { objective, meanLoss: mean, report, knots: knots?.detach() ?? null };
  });
}

/**
 * Gives the kernel's errors the classes that the composed loss throws; its messages name image, row and column.
 *
 * The processor does not wait for a GPU, which reports its errors at a later call. A loss that was not finite was NaN for
 * whoever read it, and the call that is told of it is sound: it is made again.
 */
export function namingErrors<T>(body: () => T): T {
  try {
    return body();
  } catch (cause) {
    const message = cause instanceof Error ? (cause.message.split("\n")[0] as string) : String(cause);
    if (/\(\): label /.test(message)) throw new LabelRangeError(message, { cause });
    if (/the curve must be finite/.test(message)) {
      // The native call puts the operator's name in front of the kernel's own words, which begin with it.
      throw new InvalidCurveError(message.slice(message.lastIndexOf("armseg::")), { cause });
    }
    if (!/the loss is not finite/.test(message)) throw cause;
    if (/in an earlier call/.test(message)) return namingErrors(body);
    throw new NonFiniteLossError(message, { cause });
  }
}
