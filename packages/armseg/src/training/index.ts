export { loadModelWeights } from "./checkpoint.ts";
export { learningRateFactor } from "./schedule.ts";
export { type IterationResult, trainIteration } from "./step.ts";
export { Trainer, TrainingError } from "./trainer.ts";
