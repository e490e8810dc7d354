import type { AugmentationOptions } from "./augment.ts";
import type { Size } from "./window.ts";

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
