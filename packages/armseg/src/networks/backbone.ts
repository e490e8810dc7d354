import type { nn, Tensor } from "@armseg/torch";

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
 * Strides and dilations of four stages: a stride that is left out doubles the dilation of what follows.
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
      throw new RangeError(`stageLayout(): expected an output stride of 8, 16 or 32, got ${outputStride}`);
  }
}

export interface DilationOptions {
  /** Default 8. */
  readonly outputStride?: OutputStride;
  /** Whether the first block of a dilated stage uses half of its dilation. Default true. */
  readonly contractDilation?: boolean;
  /** Dilation of each block of the last stage, in place of the stage's own; (1, 2, 4) in D16-MG124. Default none. */
  readonly multiGrid?: readonly number[] | null;
}

/**
 * Dilation of each block of one stage (mmsegmentation's ResLayer). See {@link assertMultiGrid}.
 */
export function blockDilations(
  blocks: number,
  dilation: number,
  options: { contractDilation: boolean; multiGrid: readonly number[] | null },
): readonly number[] {
  const { contractDilation, multiGrid } = options;
  if (multiGrid !== null) {
    if (multiGrid.length >= blocks) return multiGrid.slice(0, blocks);
    throw new RangeError(
      `multiGrid: expected ${blocks} dilations, one a block, got [${multiGrid.join(", ")}]`,
    );
  }
  const first = contractDilation && dilation > 1 ? dilation / 2 : dilation;
  return Array.from({ length: blocks }, (_, i) => (i === 0 ? first : dilation));
}

/**
 * Checks a multi-grid before anything is built.
 *
 * @throws {RangeError} If it does not have one positive dilation a block of the last stage.
 */
export function assertMultiGrid(multiGrid: readonly number[] | null, blocks: number): void {
  if (multiGrid === null) return;
  if (
    multiGrid.length === blocks &&
    multiGrid.every((dilation) => Number.isInteger(dilation) && dilation > 0)
  )
    return;
  throw new RangeError(
    `multiGrid: expected ${blocks} positive dilations, one a block, got [${multiGrid.join(", ")}]`,
  );
}
