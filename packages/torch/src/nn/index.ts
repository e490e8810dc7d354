export type { LoadReport } from "./load-state.ts";
export type { AnyModule, ModuleList } from "./module.ts";
export { buffer, Module } from "./module.ts";
export type { Placement } from "./placement.ts";
