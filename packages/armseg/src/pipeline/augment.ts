import { CounterRandom, STREAMS } from "../core/random.ts";
import type { LabelImage } from "../data/sample.ts";
import type { NormaliseOptions } from "./normalise.ts";
import { drawPhotometric, type PhotometricDistortion, type PhotometricOptions } from "./photometric.ts";
import { drawCrop, type RandomCropOptions } from "./random-crop.ts";
import { drawResize, type RandomResizeOptions } from "./random-resize.ts";
import type { Size, Window } from "./window.ts";

export interface FlipOptions {
  /** Probability of mirroring left to right. */
  readonly probability: number;
}

/** The training pipeline, in the order of its steps; a step that is `null` is left out. Plain data: it is sent to worker threads. */
export interface AugmentationOptions {
  readonly resize: RandomResizeOptions | null;
  readonly crop: RandomCropOptions;
  readonly flip: FlipOptions;
  readonly photometric: PhotometricOptions | null;
  readonly normalise: NormaliseOptions;
}

/** Everything random about one augmented sample. */
export interface Augmentation {
  /** `[height, width]` that the whole image would be resized to. */
  readonly resized: Size;
  /** What of it is kept, in pixels of the resized image. */
  readonly window: Window;
  readonly flip: boolean;
  readonly photometric: PhotometricDistortion | null;
}

/**
 * Draws all that is random about one sample; nothing is resized for it.
 *
 * A pure function of its arguments: each step draws from its own stream of the key.
 *
 * @param label - The whole label in its size on disk: the crop is chosen by its classes.
 */
export function drawAugmentation(
  key: { readonly seed: number; readonly iteration: number; readonly index: number },
  label: LabelImage,
  options: AugmentationOptions,
): Augmentation {
  const stream = (name: keyof typeof STREAMS) => new CounterRandom({ ...key, stream: STREAMS[name] });
  const size: Size = [label.height, label.width];
  const resized = options.resize ? drawResize(stream("resize"), size, options.resize) : size;
  return {
    resized,
    window: drawCrop(stream("crop"), label, resized, options.crop),
    flip: stream("flip").coin(options.flip.probability), // mmcv `RandomFlip`, horizontal
    photometric: options.photometric && drawPhotometric(stream("photometric"), options.photometric),
  };
}

/** Mean and standard deviation of ImageNet's red, green, blue, in levels of 255. */
export const IMAGENET_NORMALISE = { mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] } as const;

const SSD_COLORS = {
  brightnessDelta: 32,
  contrastRange: [0.5, 1.5],
  saturationRange: [0.5, 1.5],
  hueDelta: 18,
} as const;

function preset(base: Size, crop: Size) {
  return {
    resize: { base, ratioRange: [0.5, 2] },
    crop: { size: crop, maxCategoryRatio: 0.75 },
    flip: { probability: 0.5 },
    photometric: SSD_COLORS,
    normalise: IMAGENET_NORMALISE,
  } as const satisfies AugmentationOptions;
}

/** mmsegmentation's training pipelines (`configs/_base_/datasets`), and the same for CamVid's 360x480 frames. */
export const augmentationPresets = {
  cityscapes: preset([1024, 2048], [512, 1024]),
  ade20k: preset([512, 2048], [512, 512]),
  camvid: preset([360, 480], [360, 480]),
};
