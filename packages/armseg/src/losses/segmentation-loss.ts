import type { Tensor } from "@armseg/torch";
import { amp } from "@armseg/torch";
import { argumentError } from "../core/argument-error.ts";
import { IGNORE_INDEX } from "../core/ignore-index.ts";
import type { Phase } from "../reweighting/adversary.ts";
import type { Curve } from "../reweighting/curve.ts";
import { CURVE_INTERVALS } from "../reweighting/curve.ts";
import type { Indicator } from "../reweighting/indicators.ts";
import { composedLoss } from "./composed.ts";
import { fusedLoss, unsupportedReason } from "./fused.ts";
import type { LossInputs, LossSettings, LossTerms } from "./loss-terms.ts";
import type { OhemOptions } from "./ohem.ts";
import { resolveOhem } from "./ohem.ts";
import type { PixelLoss } from "./pixel-losses.ts";
import { DEFAULT_GAMMA, DEFAULT_Q } from "./pixel-losses.ts";

/** Configuration of a {@link SegmentationLoss}; the defaults are plain cross entropy, averaged over the valid pixels. */
export interface SegmentationLossOptions {
  /** Loss of one pixel. Default ce. */
  readonly pixelLoss?: PixelLoss;
  /** Exponent of `gce`, in (0, 1]. Default 0.1. */
  readonly q?: number;
  /** Exponent of `focal`, at least 0. Default 2. */
  readonly gamma?: number;
  /** Factor on the loss of each class, `[C]`; enters no denominator. The caller keeps it alive. */
  readonly classWeights?: Tensor | null;
  /** From confidence to weight: ArmCurve, LinearCurve, any module. Default none: every pixel alike. */
  readonly curve?: Curve | null;
  /** What confidence is read from. Default var. */
  readonly indicator?: Indicator;
  /** Whether the confidence is cut off from the network. Default true; false reproduces Table 1's collapse. */
  readonly detach?: boolean;
  /** Norm of the weights, at least 1. Default 2. */
  readonly p?: number;
  /** Selection of hard pixels, before any weight. Default none. */
  readonly ohem?: OhemOptions | null;
  /** Divisor of the mean: the valid pixels (default), or `all` pixels as mmsegmentation does. Q sums to 1 either way. */
  readonly normalise?: "valid" | "all";
  /** Label of pixels that take part in no sum. Default 255. */
  readonly ignoreIndex?: number;
  /** `auto` (default): fused where it applies, else composed. `fused` throws where it does not apply. */
  readonly implementation?: "auto" | "fused" | "composed";
  /** K: intervals between the knots at which the fused kernel sees the curve. Default 1024. */
  readonly curveIntervals?: number;
}

/** How one call differs from the next. */
export interface SegmentationLossCall {
  /** Default joint; see `phaseAt`. */
  readonly phase?: Phase;
  /** Whether there is a report; it costs nothing in fused, but time in composed. Default true. */
  readonly statistics?: boolean;
}

export interface SegmentationLossResult extends Omit<LossTerms, "objective" | "meanLoss"> {
  /** To call `backward` on: Q, or mean loss + Q with separate gradients in the isolated phase. `[]`. */
  readonly loss: Tensor;
  /** Q, `[]`, detached. */
  readonly objective: Tensor;
  /** Mean loss, `[]`, detached: what the network minimises in the isolated phase, and is compared across methods. */
  readonly meanLoss: Tensor;
  readonly implementation: "fused" | "composed";
}

/**
 * The loss of a segmentation network: pixel losses, weighted by a curve of the confidence.
 *
 * Q = Σ w̃_i·l_i with w̃ the doubly normalised weights (Liu et al. 2020, section 3). Without a curve, the mean of l. Everything
 * is float32 or wider whatever the logits are, also under autocast. Without a valid pixel, or with all weights 0, the loss
 * is 0 with zero gradient; `readLossReport(report).isEmpty` says so.
 *
 * @example
 * const criterion = new SegmentationLoss({ curve: new ArmCurve() });
 * const { loss } = criterion.call({ logits, labels });
 * loss.backward();
 */
export class SegmentationLoss {
  readonly settings: LossSettings;
  readonly #implementation: "auto" | "fused" | "composed";

  /** @throws {RangeError} If a number is out of its range. */
  constructor(options: SegmentationLossOptions = {}) {
    this.settings = resolve(options);
    this.#implementation = options.implementation ?? "auto";
  }

  /** The curve, whose parameters are the adversary's; `null` without one. */
  get curve(): Curve | null {
    return this.settings.curve;
  }

  /**
   * Computes the loss of one batch.
   *
   * @throws {LabelRangeError} If a label is neither a class nor the ignore index.
   * @throws {NonFiniteLossError} If a valid pixel's loss is NaN or infinite.
   * @throws {RangeError} If shapes do not fit, or `implementation: "fused"` does not apply.
   */
  call(inputs: LossInputs, options: SegmentationLossCall = {}): SegmentationLossResult {
    assertShapes(inputs, this.settings);
    const isIsolated = options.phase === "isolated";
    const run = { isIsolated, hasReport: options.statistics ?? true };
    const implementation = this.#choose(inputs);
    const compute = implementation === "fused" ? fusedLoss : composedLoss;
    // Off, since under autocast the curve's convolutions and half of the sums would be in half precision.
    return amp.autocast(inputs.logits.device, { enabled: false }, () => {
      const { objective, meanLoss, ...rest } = compute(inputs, this.settings, run);
      const loss = isIsolated ? meanLoss.add(objective) : objective;
      return { loss, objective: objective.detach(), meanLoss: meanLoss.detach(), ...rest, implementation };
    });
  }

  #choose(inputs: LossInputs): "fused" | "composed" {
    if (this.#implementation === "composed") return "composed";
    const reason = unsupportedReason(inputs, this.settings);
    if (reason === null) return "fused";
    if (this.#implementation === "auto") return "composed";
    throw argumentError(
      "SegmentationLoss.call",
      "inputs and options that implementation fused supports",
      reason,
      "take implementation auto or composed",
    );
  }
}

function resolve(options: SegmentationLossOptions): LossSettings {
  const settings: LossSettings = {
    pixelLoss: options.pixelLoss ?? "ce",
    q: options.q ?? DEFAULT_Q,
    gamma: options.gamma ?? DEFAULT_GAMMA,
    classWeights: options.classWeights ?? null,
    indicator: options.indicator ?? "var",
    detach: options.detach ?? true,
    curve: options.curve ?? null,
    curveIntervals: options.curveIntervals ?? CURVE_INTERVALS,
    p: options.p ?? 2,
    ohem: options.ohem ? resolveOhem(options.ohem) : null,
    normalise: options.normalise ?? "valid",
    ignoreIndex: options.ignoreIndex ?? IGNORE_INDEX,
  };
  assertRange("q", settings.q, settings.q > 0 && settings.q <= 1, "in (0, 1]");
  assertRange("gamma", settings.gamma, settings.gamma >= 0, "of at least 0");
  assertRange("p", settings.p, settings.p >= 1 && settings.p < Number.POSITIVE_INFINITY, "of at least 1");
  const isWhole = Number.isInteger(settings.curveIntervals) && settings.curveIntervals > 0;
  assertRange("curveIntervals", settings.curveIntervals, isWhole, "that is whole and positive");
  return settings;
}

function assertRange(name: string, value: number, isRight: boolean, expected: string): void {
  if (!isRight) throw argumentError("SegmentationLoss", `${name} ${expected}`, value);
}

function assertShapes(inputs: LossInputs, settings: LossSettings): void {
  const { logits, labels, logScale, pixelWeights, logitOffset } = inputs;
  if (logits.ndim !== 4 || labels.ndim !== 3 || logits.size(0) !== labels.size(0)) {
    throw shapeError(
      "logits [N, C, h, w] and labels [N, H, W]",
      `${describe(logits)} and ${describe(labels)}`,
    );
  }
  const [batch, classes, height, width] = logits.shape as [number, number, number, number];
  if (labels.dtype !== "uint8" && labels.dtype !== "int64") {
    throw shapeError("labels of dtype uint8 or int64", `${labels.dtype}; convert them`);
  }
  if (pixelWeights && describe(pixelWeights) !== describe(labels)) {
    throw shapeError(`pixelWeights of the labels' shape ${describe(labels)}`, describe(pixelWeights));
  }
  if (logScale && logScale.numel !== batch * height * width) {
    throw shapeError(
      `logScale [${batch}, 1, ${height}, ${width}], of the logits' resolution`,
      describe(logScale),
    );
  }
  if (logitOffset && describe(logitOffset) !== `[${classes}]`) {
    throw shapeError(`logitOffset [${classes}], one per class of the logits`, describe(logitOffset));
  }
  if (settings.classWeights && settings.classWeights.numel !== classes) {
    throw shapeError(`${classes} classWeights, one per class of the logits`, describe(settings.classWeights));
  }
}

function describe(tensor: Tensor): string {
  return `[${tensor.shape.join(", ")}]`;
}

function shapeError(expected: string, got: string): RangeError {
  return argumentError("SegmentationLoss.call", expected, got);
}
