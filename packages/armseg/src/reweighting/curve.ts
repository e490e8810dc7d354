import type { nn, Tensor } from "@armseg/torch";
import { ops, tidy } from "@armseg/torch";
import { argumentError } from "../core/argument-error.ts";

/**
 * A weight curve W: confidence u in [−1, 1] to a weight that is not negative, element by element.
 *
 * Any module of one tensor to one of the same shape is a curve. The paper's are {@link ArmCurve} and
 * {@link LinearCurve}; no curve at all (`null`) weights every pixel alike.
 */
export type Curve = nn.Module<[confidence: Tensor], Tensor>;

/** Intervals between knots when a curve is sampled: 1025 knots, 0.002 apart. */
export const CURVE_INTERVALS = 1024;

/** Returns whether the curve has anything to learn, and so a phase of its own and an optimiser group. */
export function isLearnable(curve: Curve | null): boolean {
  for (const parameter of curve?.parameters() ?? []) if (parameter.requiresGrad) return true;
  return false;
}

/**
 * Returns the weights of the curve at evenly spaced knots on [−1, 1]: what the fused loss needs of it, and how it is drawn.
 *
 * The gradient reaches the curve's parameters from the knots.
 *
 * @param options.intervals - K, one less than the knots. Default {@link CURVE_INTERVALS}.
 * @param options.like - Gives the dtype and device that the curve is called with. Default float32 on the CPU.
 * @returns `[K + 1]`.
 * @throws {RangeError} If the curve returns another shape.
 */
export function sampleCurve(curve: Curve, options: { intervals?: number; like?: Tensor } = {}): Tensor {
  const intervals = options.intervals ?? CURVE_INTERVALS;
  const { like } = options;
  return tidy(() => {
    const [own] = curve.parameters(); // a learned curve is sampled where its parameters are
    const place = { dtype: like?.dtype ?? "float32", device: like?.device ?? own?.device ?? "cpu" } as const;
    return applyCurve(curve, ops.linspace(-1, 1, intervals + 1, place));
  });
}

/**
 * Returns W(u), and checks the shape that the curve returns.
 *
 * @throws {RangeError} If the curve returns another shape than it was given.
 */
export function applyCurve(curve: Curve, confidence: Tensor): Tensor {
  const weights = curve.call(confidence);
  const [given, got] = [confidence.shape.join(", "), weights.shape.join(", ")];
  if (given !== got) {
    const expected = `a curve that maps element by element, [${given}] to [${given}]`;
    throw argumentError("sampleCurve", expected, `[${got}]`, "reshape its result");
  }
  return weights;
}

/**
 * Evaluates the curve that knots give, linear in between: w = (1 − f)·knot[k] + f·knot[k + 1] at x = (u + 1)·K/2 = k + f.
 *
 * Its gradient with respect to the knots is the adjoint, two numbers scattered per pixel.
 *
 * @param knots - `[K + 1]` on an even grid over [−1, 1].
 * @param confidence - u in [−1, 1], any shape.
 */
export function interpolateKnots(knots: Tensor, confidence: Tensor): Tensor {
  return tidy(() => {
    const { lower, fraction } = knotPosition(confidence, knots.numel - 1);
    const left = knots.indexSelect(0, lower.reshape([-1])).reshape(confidence.shape);
    const right = knots.indexSelect(0, lower.add(1).reshape([-1])).reshape(confidence.shape);
    return left.add(right.sub(left).mul(fraction));
  });
}

/** Returns where each confidence lies among K + 1 knots: index of the knot below (int64, 0..K−1) and fraction in [0, 1]. */
export function knotPosition(confidence: Tensor, intervals: number): { lower: Tensor; fraction: Tensor } {
  const position = confidence.add(1).mul(intervals / 2);
  const lower = position
    .detach()
    .floor()
    .clamp(0, intervals - 1);
  return { lower: lower.to("int64"), fraction: position.sub(lower) };
}
