import type { nn, Tensor } from "@armseg/torch";
import { argumentError } from "../core/argument-error.ts";

/** Input size divided by the size of the last stage. */
export type OutputStride = 8 | 16 | 32;

/**
 * A classification network without its classifier: images `[N, 3, H, W]` to the features of its stages, finest first.
 *
 * Four stages at strides 4, 8, 16, 32 (the last ones less where dilated); HRNet has one, the joined stage at stride 4.
 */
export interface Backbone extends nn.Module<[images: Tensor], readonly Tensor[]> {
  /** Channels of each stage. */
  readonly channels: readonly number[];
}

/** How the four stages of a ResNet reach an output stride. */
export interface StageLayout {
  readonly strides: readonly [number, number, number, number];
  readonly dilations: readonly [number, number, number, number];
}

/**
 * Returns strides and dilations of four stages: a stride that is left out doubles the dilation of what follows.
 *
 * mmsegmentation's D8, D16 and plain settings; equal to torchvision's `replace_stride_with_dilation`.
 */
export function stageLayout(outputStride: OutputStride): StageLayout {
  switch (outputStride) {
    case 8:
      return { strides: [1, 2, 1, 1], dilations: [1, 1, 2, 4] };
    case 16:
      return { strides: [1, 2, 2, 1], dilations: [1, 1, 1, 2] };
    case 32:
      return { strides: [1, 2, 2, 2], dilations: [1, 1, 1, 1] };
    default:
      throw argumentError("stageLayout", "an output stride of 8, 16 or 32", outputStride);
  }
}

/**
 * Returns the dilation of each block of one stage: the first of a dilated stage uses half of it (mmsegmentation's ResLayer with
 * `contract_dilation`).
 */
export function blockDilations(blocks: number, dilation: number): readonly number[] {
  const first = dilation > 1 ? dilation / 2 : dilation;
  return Array.from({ length: blocks }, (_, i) => (i === 0 ? first : dilation));
}
