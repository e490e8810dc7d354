import type { Tensor } from "@armseg/torch";
import { isTraced, nn, ops } from "@armseg/torch";
import { Conv2d } from "./conv-2d.ts";
import { ConvNorm } from "./conv-norm.ts";
import type { NormFactory } from "./norm.ts";

/**
 * A 3×3 depthwise convolution, padded by its dilation.
 *
 * On a CPU libtorch computes a dilated one (of stride 1) as an undilated one of the d² interleaved sub-images, to the same numbers: oneDNN has no fast
 * path for dilated depthwise convolutions, and its fallback takes several times as long.
 */
export class DepthwiseConv2d extends Conv2d {
  protected override byLibtorch(input: Tensor, weight: Tensor): Tensor {
    const [dilation] = this.dilation;
    if (dilation === 1 || this.stride[0] !== 1 || input.device !== "cpu" || isTraced())
      return super.byLibtorch(input, weight);
    const [, , height, width] = input.shape as [number, number, number, number];
    const interleaved = split(input, dilation); // [N·d², C, ⌈H/d⌉, ⌈W/d⌉]
    const filtered = ops.conv2d(interleaved, weight, this.bias, [1, 1], [1, 1], [1, 1], this.groups);
    return join(filtered, dilation).slice(2, 0, height).slice(3, 0, width); // [N, C, H, W]
  }
}

/** Splits pixels whose coordinates agree modulo `d` into images of their own: `[N, C, H, W]` to `[N·d², C, ⌈H/d⌉, ⌈W/d⌉]`. */
function split(x: Tensor, d: number): Tensor {
  const [n, channels, height, width] = x.shape as [number, number, number, number];
  const [rows, columns] = [Math.ceil(height / d), Math.ceil(width / d)];
  const padded = x.constantPadNd([0, columns * d - width, 0, rows * d - height]); // [N, C, rows·d, columns·d]
  return padded
    .permute([0, 2, 3, 1]) // [N, rows·d, columns·d, C]
    .reshape([n, rows, d, columns, d, channels])
    .permute([0, 2, 4, 1, 3, 5]) // [N, d, d, rows, columns, C]
    .reshape([n * d * d, rows, columns, channels])
    .permute([0, 3, 1, 2]); // [N·d², C, rows, columns]
}

/** Undoes {@link split}, padding included. */
function join(x: Tensor, d: number): Tensor {
  const [parts, channels, rows, columns] = x.shape as [number, number, number, number];
  return x
    .permute([0, 2, 3, 1]) // [N·d², rows, columns, C]
    .reshape([parts / (d * d), d, d, rows, columns, channels])
    .permute([0, 3, 1, 4, 2, 5]) // [N, rows, d, columns, d, C]
    .reshape([parts / (d * d), rows * d, columns * d, channels])
    .permute([0, 3, 1, 2]); // [N, C, rows·d, columns·d]
}

/** 3×3 depthwise and 1×1 pointwise convolution, each with normalisation and ReLU: mmsegmentation's separable convolution. */
export class DepthwiseSeparableConv extends nn.Module {
  readonly depthwiseConv: ConvNorm;
  readonly pointwiseConv: ConvNorm;

  constructor(inChannels: number, outChannels: number, options: { norm: NormFactory; dilation?: number }) {
    super();
    const { norm, dilation = 1 } = options;
    const shape = { padding: dilation, dilation, groups: inChannels, norm, convolution: DepthwiseConv2d };
    this.depthwiseConv = new ConvNorm(inChannels, inChannels, 3, shape);
    this.pointwiseConv = new ConvNorm(inChannels, outChannels, 1, { norm });
  }

  forward(x: Tensor): Tensor {
    return this.pointwiseConv.call(this.depthwiseConv.call(x)); // [N, out, H, W]
  }
}
