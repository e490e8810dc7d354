/** A curve whose values differ by less than this share of the largest says the same everywhere. */
const FLAT_SHARE = 0.05;

/** The values of a curve, and whether they differ enough to speak of a shape. */
export interface CurveRange {
  readonly low: number;
  readonly high: number;
  readonly isFlat: boolean;
}

/** Returns the range of a curve's values. @param values - Finite, at least one. */
export function curveRange(values: readonly number[]): CurveRange {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return { low, high, isFlat: high - low <= FLAT_SHARE * Math.abs(high) };
}

/** Says that a learned curve has stayed flat, and what helps. */
export function flatCurveText({ low, high }: CurveRange): string {
  return `the weight curve is still flat, W(u) from ${low.toFixed(3)} to ${high.toFixed(3)}: every pixel counted alike. Raise reweighting.learningRateMultiplier, or train for more iterations`;
}
