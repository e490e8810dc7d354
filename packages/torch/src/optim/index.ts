export type { AdamOptions, AdamSettings } from "./adam.ts";
export { Adam } from "./adam.ts";
export { AdamW } from "./adam-w.ts";
export { clipGradNorm, gradNorm } from "./clip-grad-norm.ts";
export type { GroupOptions, OptimizerState, ParameterGroup, ParameterSource, Update } from "./optimizer.ts";
export { Optimizer } from "./optimizer.ts";
export type { SGDOptions, SGDSettings } from "./sgd.ts";
export { SGD } from "./sgd.ts";
