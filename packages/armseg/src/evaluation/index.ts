export {
  AUGMENTATIONS,
  type AugmentationName,
  scaledSize,
  type TestTimeAugmentation,
} from "./augmentation.ts";
export { NonFiniteLogitsError } from "./bands.ts";
export { BoundaryIou, type BoundaryScores } from "./boundary-iou.ts";
export { ConfusionMatrix } from "./confusion-matrix.ts";
export {
  COARSE_STATES,
  type CoarseState,
  ErrorSplit,
  type ErrorSplitOptions,
  type ErrorSplitResult,
  errorSplitTable,
} from "./error-split.ts";
export {
  type EvaluatedImage,
  type EvaluateOptions,
  type EvaluateProgress,
  type EvaluationInput,
  type EvaluationPeers,
  type EvaluationResult,
  evaluate,
} from "./evaluate.ts";
export { expandInputs, type InputImage } from "./expand-inputs.ts";
export {
  type ConfidentPrediction,
  type InferenceOptions,
  type LikelihoodPrediction,
  predictLabels,
  predictWithConfidence,
  predictWithLikelihoods,
  withMirroring,
} from "./inference.ts";
export { type ImageInput, imageTensor, type LabelImage, type Network } from "./maps.ts";
export { adeScore, computeMetrics, type Metrics, metricsTable } from "./metrics.ts";
export {
  type PredictImageOptions,
  type Prediction,
  predictImage,
  type WritePredictionOptions,
  writePrediction,
} from "./predict.ts";
export {
  ade20kSubmission,
  cityscapesSubmission,
  encodeSubmission,
  type SubmissionFormat,
  writeSubmission,
} from "./submit.ts";
export { together } from "./together.ts";
export { confidenceOfLogits, labelsOfLogits } from "./upsampled.ts";
export { type SlidingWindow, slidingWindows } from "./windows.ts";
export { type ImageScore, type RankedImage, WorstImages } from "./worst-images.ts";
