export type { AutocastOptions } from "./autocast.ts";
export { autocast } from "./autocast.ts";
export type { GradScalerOptions, GradScalerState } from "./grad-scaler.ts";
export { GradScaler } from "./grad-scaler.ts";
