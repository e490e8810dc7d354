export type { CurveComparison } from "./learned-curve.ts";
export { compareWithOptimum } from "./learned-curve.ts";
export type { LossProfile } from "./loss-profile.ts";
export { lossProfile } from "./loss-profile.ts";
export type { LowVarianceMap, LowVarianceOptions } from "./low-variance-map.ts";
export { lowVarianceMap } from "./low-variance-map.ts";
