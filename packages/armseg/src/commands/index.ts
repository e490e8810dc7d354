export { type EvaluationOutcome, evaluateRun, loadTrained, type Trained } from "./evaluate.ts";
export { type RunControl, type RunResult, resumeTraining, startTraining } from "./train.ts";
