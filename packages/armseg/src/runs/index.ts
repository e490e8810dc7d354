/** Run folders, read and written without libtorch. */
export * from "./audit/index.ts";
export { type CheckpointChoice, chooseCheckpoint } from "./choose-checkpoint.ts";
export { type Environment, readEnvironments } from "./environment.ts";
export * from "./maps/index.ts";
export { readMetrics } from "./metrics.ts";
export { MetricsFollower, type NewRecords } from "./metrics-follower.ts";
export { bestEvaluation, finishedEvaluation, lastIteration, type RunContents, readRun } from "./read-run.ts";
export {
  type CurveRecord,
  type EvaluationRecord,
  type EventRecord,
  type MetricsRecord,
  type RunRecord,
  recordsOfKind,
  type TimingRecord,
  type TrainRecord,
} from "./records.ts";
export { isRun, type RunPaths, runPaths } from "./run-folder.ts";
export { isLocked } from "./run-lock.ts";
