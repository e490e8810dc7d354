export type { Reduction } from "./process-group.ts";
export { ProcessGroup, processGroupDevices, Reducer } from "./process-group.ts";
export type { Rendezvous } from "./rendezvous.ts";
export { rendezvousFromEnvironment } from "./rendezvous.ts";
export { SyncBatchNorm2d } from "./sync-batch-norm-2d.ts";
