import { argumentError } from "../core/argument-error.ts";
import type { Size } from "../core/size.ts";
import type { SlidingWindow } from "./windows.ts";

/** Multi-scale + flip: the views of an image, and how what the network says of them becomes one map. */
export interface TestTimeAugmentation {
  /** Factors on the size of the image. */
  readonly scales: readonly number[];
  /** Whether each scale is seen mirrored, too. */
  readonly flip: boolean;
  /**
   * `meanLikelihoods`: softmax of each view at the final size, averaged. `sumLogits`: logits of all views, resized to the scaled image and then
   * to the image, added up.
   * `expMeanLogits`: exp of the mean logits of the two flips (window by window), resized to the final size, added up over scales.
   */
  readonly rule: "meanLikelihoods" | "sumLogits" | "expMeanLogits";
  /** How fractions of pixels end when sizes are scaled. */
  readonly rounding: "nearest" | "down";
  /**
   * Whether images and logits are resized with `align_corners = true`. The step from the image's size to a label of another is not.
   */
  readonly alignCorners: boolean;
  /** Windows for scales above 1 only; `null` where {@link InferenceOptions.window} decides for all. */
  readonly windowAboveOne: SlidingWindow | null;
}

/** Names of the presets. */
export type AugmentationName = "mmseg" | "openseg" | "hrnet";

const SCALES = [0.5, 0.75, 1, 1.25, 1.5, 1.75];

/**
 * The field's three kinds of multi-scale + flip; numbers obtained with different ones do not compare.
 *
 * `mmseg`: mmsegmentation's `seg_tta.py`. `openseg`: openseg.pytorch's `ms_test` (the paper's "same TTA as OCR", with scale 2.0). `hrnet`:
 * HRNet's `multi_scale_inference` (crops of 512×1024, side by side, above scale 1). openseg's networks and its test resize with
 * `align_corners = true`, the others without.
 */
export const AUGMENTATIONS: Readonly<Record<AugmentationName, TestTimeAugmentation>> = {
  mmseg: {
    scales: SCALES,
    flip: true,
    rule: "meanLikelihoods",
    rounding: "nearest",
    alignCorners: false,
    windowAboveOne: null,
  },
  openseg: {
    scales: [...SCALES, 2],
    flip: true,
    rule: "sumLogits",
    rounding: "down",
    alignCorners: true,
    windowAboveOne: null,
  },
  hrnet: {
    scales: SCALES,
    flip: true,
    rule: "expMeanLogits",
    rounding: "nearest",
    alignCorners: false,
    windowAboveOne: { crop: [512, 1024], stride: [512, 1024] },
  },
};

/** Returns a size times a scale, in whole pixels, at least 1. */
export function scaledSize(
  [height, width]: Size,
  scale: number,
  rounding: TestTimeAugmentation["rounding"],
): Size {
  if (!(scale > 0 && Number.isFinite(scale))) throw argumentError("scaledSize", "a positive scale", scale);
  const extra = rounding === "nearest" ? 0.5 : 0;
  const scaled = (length: number) => Math.max(1, Math.floor(length * scale + extra));
  return [scaled(height), scaled(width)];
}
