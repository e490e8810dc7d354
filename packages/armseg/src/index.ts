/**
 * armseg as a library. The folders are its rooms; each can be used without those below it in this list.
 */

export * as baselines from "./baselines/index.ts";
export * as coarsen from "./coarsen/index.ts";
export { scenes } from "./coarsen/scenes.ts";
export * as commands from "./commands/index.ts";
export * as config from "./config/index.ts";
export * as data from "./data/index.ts";
export * as evaluation from "./evaluation/index.ts";
export * as losses from "./losses/index.ts";
export * as networks from "./networks/index.ts";
export * as pipeline from "./pipeline/index.ts";
export * as report from "./report/index.ts";
export * as reweighting from "./reweighting/index.ts";
export * as runs from "./runs/index.ts";
export * as training from "./training/index.ts";
