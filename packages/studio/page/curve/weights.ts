import type { CurveState } from "../../src/api.ts";

/** W at a confidence, between its knots. */
export function weightAt({ knots, weights }: CurveState, u: number): number {
  const after = Math.max(
    1,
    knots.findIndex((knot) => knot >= u),
  );
  const [left, right] = [knots[after - 1]!, knots[after]!];
  const share = (u - left) / (right - left);
  return weights[after - 1]! * (1 - share) + weights[after]! * share;
}

/** The mean of W over the pixels that the curve met. */
export function meanWeight(curve: CurveState): number {
  let [sum, total] = [0, 0];
  curve.count.forEach((count, bin) => {
    sum += count * weightAt(curve, (2 * (bin + 0.5)) / curve.count.length - 1);
    total += count;
  });
  return total > 0 ? sum / total : 0;
}

/** The weights of the 256 confidences of a plane, over their mean: the scale of a curve means nothing. */
export function planeWeights(curve: CurveState): number[] {
  const mean = meanWeight(curve);
  return Array.from({ length: 256 }, (_, byte) => weightAt(curve, byte / 127.5 - 1) / (mean || 1));
}

/** The curve of the last iteration not beyond one; the first where there is none. */
export function curveUntil(curves: readonly CurveState[], iteration: number | null): CurveState | null {
  if (iteration === null) return curves.at(-1) ?? null;
  return curves.findLast((curve) => curve.iteration <= iteration) ?? curves[0] ?? null;
}
