/**
 * From files to batches: mmsegmentation's training pipeline, step for step and bit for bit.
 *
 * The order is that of the reference: random resize, random crop, flip, photometric distortion, normalisation, padding. Each step equals numpy and
 * OpenCV to the last bit (`golden/generate.py`). What differs: random numbers are counter-based (`random.ts`) in place of numpy's stream; 8-bit
 * HSV truncates every pixel, where OpenCV rounds the last few of a row (`hsv.ts`); images are decoded by libvips, whose JPEG may differ by a level.
 */

export { CounterRandom, philox4x32, type RandomKey, STREAMS } from "../core/random.ts";
export {
  type Augmentation,
  type AugmentationOptions,
  augmentationPresets,
  IMAGENET_NORMALISE,
} from "./augment.ts";
export type { Batch, BatchFormat } from "./batch.ts";
export {
  createEvaluationReader,
  type EvaluationImage,
  type EvaluationReader,
  type EvaluationReaderOptions,
} from "./evaluation-reader.ts";
export { createLoader, type Loader, type LoaderOptions, type LoaderStatistics } from "./loader.ts";
export type { NormaliseOptions } from "./normalise.ts";
export { type PreviewOptions, type PreviewSample, previewSamples } from "./preview.ts";
export { ReplaceableLoader } from "./replaceable-loader.ts";
export { createSampler, type SampleRef, type Sampler, type SamplerOptions } from "./sampler.ts";
