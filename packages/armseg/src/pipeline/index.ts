export type { Augmentation, AugmentationOptions } from "./augment.ts";
export type { Batch, BatchFormat, ImageType } from "./batch.ts";
export {
  createEvaluationReader,
  type EvaluationImage,
  type EvaluationReader,
  type EvaluationReaderOptions,
} from "./evaluation-reader.ts";
export { createLoader, type Loader, type LoaderOptions, type LoaderStatistics } from "./loader.ts";
export type { MemoryLayout, NormaliseOptions } from "./normalise.ts";
export { augmentationPresets, IMAGENET_NORMALISE } from "./presets.ts";
export { type PreviewOptions, type PreviewSample, previewSamples } from "./preview.ts";
export { CounterRandom, philox4x32, type RandomKey, STREAMS } from "./random.ts";
export { createSampler, type SampleRef, type Sampler, type SamplerOptions } from "./sampler.ts";
