export { type EvaluationOutcome, evaluateRun, loadTrained, type Trained } from "./evaluate.ts";
export { type ExportRunOptions, type ExportRunResult, exportRun } from "./export.ts";
export { type RunControl, type RunResult, resumeTraining, startTraining } from "./train.ts";
