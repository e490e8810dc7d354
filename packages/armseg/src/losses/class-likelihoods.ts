import { nn, type Tensor } from "@armseg/torch";

/**
 * Resizes a map to the labels' size: bilinear, `align_corners = false`; in float32 at least.
 *
 * @param map - `[N, C, h, w]`. Half precision is widened first: weights of 1e-6 are below float16's range.
 * @param size - `[height, width]` of the labels.
 */
function upsampled(map: Tensor, size: readonly [number, number]): Tensor {
  const wide = map.dtype === "float64" ? map : map.to("float32");
  const [height, width] = [map.size(2), map.size(3)];
  return height === size[0] && width === size[1] ? wide : nn.interpolate(wide, { size });
}

/**
 * Returns ln p of the class likelihoods p = softmax(z), with z upsampled to the labels' size (Liu et al. 2020, section 3.2).
 *
 * Pixels outside of `valid` get z = 0, so that nothing under the ignore index, NaN included, reaches a gradient.
 *
 * @param logits - `[N, C, h, w]`, any floating dtype.
 * @param valid - bool `[N, H, W]`.
 * @returns `[N, C, H, W]`, float64 for float64 logits and float32 for all others.
 */
export function logLikelihoods(logits: Tensor, valid: Tensor): Tensor {
  const full = upsampled(logits, [valid.size(1), valid.size(2)]);
  return full.maskedFill(valid.logicalNot().unsqueeze(1), 0).logSoftmax(1);
}

/**
 * Returns the ln s of an uncertainty head in the labels' resolution, 0 outside of `valid`.
 *
 * It is ln s that is interpolated, not s: so s stays positive and both agree at every pixel of the head.
 *
 * @param logScale - `[N, h, w]` or `[N, 1, h, w]`.
 * @returns `[N, H, W]`.
 */
export function upsampledLogScale(logScale: Tensor, valid: Tensor): Tensor {
  const map = logScale.ndim === 3 ? logScale.unsqueeze(1) : logScale;
  return upsampled(map, [valid.size(1), valid.size(2)])
    .squeeze(1)
    .maskedFill(valid.logicalNot(), 0);
}
