export { Baseline, type BaselineParts } from "./baseline.ts";
export { learningToReweight } from "./learning-to-reweight.ts";
export type { LookAhead } from "./look-ahead.ts";
export { gradientAlignment } from "./look-ahead.ts";
export { MetaWeightNet, metaWeightNetStep } from "./meta-weight-net.ts";
