import type { nn, Tensor } from "@armseg/torch";
import { argumentError } from "../core/argument-error.ts";

/** Input size divided by the size of the last stage. */
export type OutputStride = 8 | 16 | 32;

/** Stages that a backbone has: the whole network's four, or its first ones. */
export type StageCount = 1 | 2 | 3 | 4;

/**
 * A classification network without its classifier: images `[N, 3, H, W]` to the features of its stages, finest first.
 *
 * Four stages at strides 4, 8, 16, 32 (the last ones less where dilated), or the first of them; HRNet has one, the joined stage at
 * stride 4.
 */
export interface Backbone extends nn.Module<[images: Tensor], readonly Tensor[]> {
  /** Channels of each stage. */
  readonly channels: readonly number[];
  /** Parts of the whole network that this one ends before, e.g. `layer4`: pretrained weights have them. */
  readonly omitted: readonly string[];
  /** Returns the modules of the stem, then those of each stage, in the order of their use. */
  stageModules(): readonly (readonly nn.AnyModule[])[];
}

/** Returns the stride of the last of some stages: each halves the size, from a quarter on, until the output stride is reached. */
export function lastStride(outputStride: OutputStride, stages: StageCount): number {
  return Math.min(outputStride, 2 ** (stages + 1));
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
