import type { Tensor } from "@armseg/torch";
import { kernel } from "./library.ts";

/** Both numbers of channels of {@link convolution3x3} are multiples of this. */
export const CHANNEL_BLOCK = 16;

/** Output pixels that are computed together, each way. */
export type TileSide = 2 | 4;

/**
 * Convolves with 3×3 kernels, stride 1, padding = dilation, by Winograd's minimal filtering (Lavin and Gray 2016, arXiv 1509.09308), to float32's
 * accuracy (about 1e-6 of the largest value). On processors only; differentiable, twice too.
 *
 * @param input - `[N, C, H, W]`, float32; fastest in channels_last.
 * @param weight - `[K, C, 3, 3]`, float32; C and K multiples of {@link CHANNEL_BLOCK}.
 * @param options.dilation - Default 1.
 * @param options.tile - Tiles of 4×4 pixels (the default) take a quarter of the multiplications, tiles of 2×2 four ninths, but fit small maps.
 * @returns `[N, K, H, W]`, in memory as the input is.
 * @throws {Error} If a shape, dtype or device is another.
 */
export function convolution3x3(
  input: Tensor,
  weight: Tensor,
  options: { readonly dilation?: number; readonly tile?: TileSide } = {},
): Tensor {
  return kernel("convolution_3x3")(input, weight, options.dilation ?? 1, options.tile ?? 4) as Tensor;
}

/**
 * Convolves each channel with a 3×3 kernel of its own, stride 1, padding = dilation: a depthwise convolution, in about the time that moving its
 * maps takes. On processors only; differentiable, twice too.
 *
 * @param input - `[N, C, H, W]`, float32; fastest in channels_last. C is a multiple of {@link CHANNEL_BLOCK}.
 * @param weight - `[C, 1, 3, 3]`, float32.
 * @param options.dilation - Default 1.
 * @returns `[N, C, H, W]`, in memory as the input is.
 * @throws {Error} If a shape, dtype or device is another.
 */
export function depthwiseConvolution3x3(
  input: Tensor,
  weight: Tensor,
  options: { readonly dilation?: number } = {},
): Tensor {
  return kernel("depthwise_convolution_3x3")(input, weight, options.dilation ?? 1) as Tensor;
}

/** Returns the tile with fewer multiplications on a map of this size. */
export function bestTile([height, width]: readonly [number, number], dilation: number): TileSide {
  const tilesOf = (length: number, side: TileSide) => Math.ceil(Math.ceil(length / dilation) / side);
  const pointsOf = (side: TileSide) => (side + 2) ** 2 * tilesOf(height, side) * tilesOf(width, side);
  return pointsOf(2) < pointsOf(4) ? 2 : 4;
}
