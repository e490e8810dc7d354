export type { AdversaryGroup, AdversaryOptions, Phase } from "./adversary.ts";
export { adversaryGroup, adversaryLearningRate, ISOLATED_FRACTION, phaseAt } from "./adversary.ts";
export { ArmCurve } from "./arm-curve.ts";
export type { Curve } from "./curve.ts";
export { CURVE_INTERVALS, interpolateKnots, isLearnable, sampleCurve } from "./curve.ts";
export type { ConfidenceSource, Indicator } from "./indicators.ts";
export { confidence, INDICATORS } from "./indicators.ts";
export { LINES, LinearCurve } from "./linear-curve.ts";
export { objective, pNormalised, sumToOne, weightMap } from "./objective.ts";
