/**
 * armseg as a library. The folders are its parts; each can be used without those below it in this list.
 */

export * as analysis from "./analysis/index.ts";
export * as datasets from "./datasets/index.ts";
export * as drawing from "./drawing/index.ts";
export * as evaluation from "./evaluation/index.ts";
export * as losses from "./losses/index.ts";
export * as networks from "./networks/index.ts";
export * as pipeline from "./pipeline/index.ts";
export * as reweighting from "./reweighting/index.ts";
export * as training from "./training/index.ts";
