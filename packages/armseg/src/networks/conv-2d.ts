import { bestTile, CHANNEL_BLOCK, convolution3x3, type TileSide } from "@armseg/kernels";
import type { Tensor } from "@armseg/torch";
import { nn, ops } from "@armseg/torch";

/** A 3×3 convolution of stride 1, padded by its dilation, on maps of one size. */
export interface WinogradShape {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly dilation: number;
  /** `[height, width]` of the map. */
  readonly size: readonly [height: number, width: number];
}

/** The shapes that are computed by Winograd's minimal filtering, by {@link winogradKey}, with their tiles. */
export type WinogradTiles = ReadonlyMap<string, TileSide>;

/** What tells the layers of a network apart: a network's maps have one size each. */
export function winogradKey({ inChannels, outChannels, dilation }: Omit<WinogradShape, "size">): string {
  return `${inChannels}-${outChannels}-${dilation}`;
}

/** The tile that a shape takes where it is computed by Winograd's algorithm. */
export function tileOf({ size, dilation }: WinogradShape): TileSide {
  return bestTile(size, dilation);
}

/** A convolution that, on a processor and where it is told so, is computed by Winograd's minimal filtering: `docs/performance.md`. */
export class Conv2d extends nn.Conv2d {
  /** Which shapes. Default: none, all are libtorch's. */
  winogradTiles: WinogradTiles = new Map();

  /** Whether the algorithm exists for it: 3×3, stride 1, padded by its dilation, without groups and bias, channels in blocks. */
  get isWinogradPossible(): boolean {
    const [outChannels, inChannels, ...kernel] = this.weight.shape as [number, number, number, number];
    const [dilation] = this.dilation;
    return (
      [...kernel].every((side) => side === 3) &&
      this.stride.every((stride) => stride === 1) &&
      [...this.padding, ...this.dilation].every((value) => value === dilation) &&
      this.groups === 1 &&
      this.bias === null &&
      inChannels % CHANNEL_BLOCK === 0 &&
      outChannels % CHANNEL_BLOCK === 0
    );
  }

  override forward(input: Tensor): Tensor {
    return this.convolve(input, this.weight);
  }

  /** @param weight - Its own, or some of its input channels. */
  protected convolve(input: Tensor, weight: Tensor): Tensor {
    const tile = this.#tileOf(input, weight);
    const [dilation] = this.dilation;
    if (tile !== undefined) return convolution3x3(input, weight, { dilation, tile });
    return ops.conv2d(input, weight, this.bias, this.stride, this.padding, this.dilation, this.groups);
  }

  #tileOf(input: Tensor, weight: Tensor): TileSide | undefined {
    if (this.winogradTiles.size === 0 || !this.isWinogradPossible) return undefined;
    if (input.device !== "cpu" || input.dtype !== "float32") return undefined;
    const [outChannels, inChannels] = weight.shape as [number, number, number, number];
    return this.winogradTiles.get(winogradKey({ inChannels, outChannels, dilation: this.dilation[0] }));
  }
}
