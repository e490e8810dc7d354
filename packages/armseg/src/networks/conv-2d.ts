import { bestTile, CHANNEL_BLOCK, convolution3x3, depthwiseConvolution3x3 } from "@armseg/kernels";
import type { Tensor } from "@armseg/torch";
import { isTraced, nn, ops } from "@armseg/torch";

/** A 3×3 convolution of stride 1, padded by its dilation, that `@armseg/kernels` can compute on maps of one size. */
export interface KernelShape {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly dilation: number;
  /** Whether each channel is convolved by itself. */
  readonly isDepthwise: boolean;
  /** `[height, width]` of the map. */
  readonly size: readonly [height: number, width: number];
}

/** Returns what a configuration calls a shape: `64-128-d2`, `depthwise-512-d12`. A network's layers of one name have maps of one size. */
export function kernelShapeName(shape: Omit<KernelShape, "size">): string {
  const { inChannels, outChannels, dilation, isDepthwise } = shape;
  return isDepthwise ? `depthwise-${inChannels}-d${dilation}` : `${inChannels}-${outChannels}-d${dilation}`;
}

/** A convolution that, on a processor and where it is told so, is computed by `@armseg/kernels`: `docs/performance.md`. */
export class Conv2d extends nn.Conv2d {
  /** The names of the shapes that the kernels compute. Default: none, all are libtorch's. */
  kernelShapes: ReadonlySet<string> = new Set();

  /** Returns its shape on a map of this size, `[N, C, H, W]`, or `null` where the kernels have none: other sizes, strides, paddings, groups, a bias. */
  kernelShape([, channels, height, width]: readonly number[]): KernelShape | null {
    const [outChannels, perGroup, ...kernel] = this.weight.shape as [number, number, number, number];
    const [dilation] = this.dilation;
    const isDepthwise = this.groups > 1 && perGroup === 1 && this.groups === outChannels;
    const fits =
      (this.groups === 1 || isDepthwise) &&
      kernel.every((side) => side === 3) &&
      this.stride.every((stride) => stride === 1) &&
      [...this.padding, ...this.dilation].every((value) => value === dilation) &&
      this.bias === null &&
      [channels as number, outChannels].every((count) => count % CHANNEL_BLOCK === 0);
    if (!fits) return null;
    const size = [height as number, width as number] as const;
    return { inChannels: channels as number, outChannels, dilation, isDepthwise, size };
  }

  override forward(input: Tensor): Tensor {
    return this.convolve(input, this.weight);
  }

  /** @param weight - Its own, or that of some of its input channels. */
  protected convolve(input: Tensor, weight: Tensor): Tensor {
    return this.byKernel(input, weight) ?? this.byLibtorch(input, weight);
  }

  protected byLibtorch(input: Tensor, weight: Tensor): Tensor {
    return ops.conv2d(input, weight, this.bias, this.stride, this.padding, this.dilation, this.groups);
  }

  private byKernel(input: Tensor, weight: Tensor): Tensor | null {
    if (this.kernelShapes.size === 0 || input.device !== "cpu" || input.dtype !== "float32" || isTraced())
      return null;
    const shape = this.kernelShape(input.shape);
    if (!shape || !this.kernelShapes.has(kernelShapeName(shape))) return null;
    const { dilation, size } = shape;
    return shape.isDepthwise
      ? depthwiseConvolution3x3(input, weight, { dilation })
      : convolution3x3(input, weight, { dilation, tile: bestTile(size, dilation) });
  }
}
