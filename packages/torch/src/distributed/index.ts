export type { Place } from "./place.ts";
export { placeFromEnvironment } from "./place.ts";
export type { Reduction } from "./process-group.ts";
export { ProcessGroup, processGroupDevices } from "./process-group.ts";
export { Reducer } from "./reducer.ts";
export { SyncBatchNorm2d } from "./sync-batch-norm-2d.ts";
