import type { LossReport } from "@armseg/kernels";
import type { Tensor } from "@armseg/torch";
import type { Curve } from "../reweighting/curve.ts";
import type { Indicator } from "../reweighting/indicators.ts";
import type { Ohem } from "./ohem.ts";
import type { PixelLoss } from "./pixel-losses.ts";

/** One batch, as the losses see it. */
export interface LossInputs {
  /** Logits in the network's own, lower resolution, `[N, C, h, w]`; float32, float64, bfloat16 or float16. */
  readonly logits: Tensor;
  /** Class of each pixel or the ignore index, uint8 or int64, `[N, H, W]`. Logits are resized to it, bilinearly. */
  readonly labels: Tensor;
  /** ln s of an uncertainty head, `[N, h, w]` or `[N, 1, h, w]`; for pixel loss `kl` and indicator `kl`. */
  readonly logScale?: Tensor | null;
  /** A weight map from the caller, `[N, H, W]`: multiplies the loss of each pixel and enters no denominator. */
  readonly pixelWeights?: Tensor | null;
  /**
   * Added to the logits of each class for the loss, `[C]`, float32; the confidence is read from the logits as they are. For the
   * coverage offset ln c: see `correction/coverage-offset.ts`.
   */
  readonly logitOffset?: Tensor | null;
}

/** What a segmentation loss computes, every option filled in. */
export interface LossSettings {
  readonly pixelLoss: PixelLoss;
  readonly q: number;
  readonly gamma: number;
  /** Factor on the loss of each class, `[C]`; enters no denominator. */
  readonly classWeights: Tensor | null;
  readonly indicator: Indicator;
  readonly detach: boolean;
  readonly curve: Curve | null;
  readonly curveIntervals: number;
  readonly p: number;
  readonly ohem: Ohem | null;
  readonly normalise: "valid" | "all";
  readonly ignoreIndex: number;
}

/** How one call differs from the next. */
export interface LossRun {
  /** Whether network and curve are trained apart; see `phaseAt`. */
  readonly isIsolated: boolean;
  /** Whether the report is wanted. */
  readonly hasReport: boolean;
}

/** What both implementations return. */
export interface LossTerms {
  /** Q, `[]`. Joint: differentiates to logits, logScale and the curve. Isolated: to the curve only. */
  readonly objective: Tensor;
  /** Mean loss, `[]`. Isolated: differentiates to logits and logScale. Joint: to nothing. */
  readonly meanLoss: Tensor;
  /** What the loss was made of; `null` where it was not wanted. */
  readonly report: LossReport | null;
  /** The curve at its knots, `[K + 1]`, detached; `null` without one. */
  readonly knots: Tensor | null;
}

/** Returns what the mean loss is divided by: OHEM with mmseg's semantics divides by all pixels, whatever `normalise` says. */
export function divisorOf(settings: LossSettings): "valid" | "all" {
  return settings.ohem?.semantics === "mmseg" ? "all" : settings.normalise;
}
