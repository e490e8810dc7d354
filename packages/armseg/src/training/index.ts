export { type BatchTensors, toTensors } from "./batch-tensors.ts";
export { loadModelWeights, type TrainingState } from "./checkpoint.ts";
export { Ema } from "./ema.ts";
export { curveGroup, type NamedGroup, networkGroups, ParameterGroups } from "./parameter-groups.ts";
export { createSchedule, learningRateFactor, type Schedule, type ScheduleOptions } from "./schedule.ts";
export { type StepResult, type Training, trainStep } from "./step.ts";
export { Trainer, type TrainerParts, TrainingError } from "./trainer.ts";
