import type { AugmentationOptions } from "../pipeline/index.ts";
import type { Config } from "./schema.ts";

/** The training pipeline that a configuration describes. @param size - `[height, width]` of the images, the base of the resize where none is set. */
export function augmentationOf(
  config: Config["augmentation"],
  size: readonly [number, number],
): AugmentationOptions {
  const { base, scale, crop, maxCategoryRatio, flip, photometric, mean, std } = config;
  return {
    resize: { base: base ?? size, ratioRange: scale },
    crop: { size: crop, maxCategoryRatio },
    flip: { probability: flip },
    photometric: photometric
      ? { brightnessDelta: 32, contrastRange: [0.5, 1.5], saturationRange: [0.5, 1.5], hueDelta: 18 }
      : null,
    normalise: { mean, std },
  };
}
