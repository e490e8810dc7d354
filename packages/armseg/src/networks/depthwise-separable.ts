import type { Tensor } from "@armseg/torch";
import { nn } from "@armseg/torch";
import { ConvNorm } from "./conv-norm.ts";
import { DepthwiseConv2d } from "./depthwise-conv.ts";
import type { NormFactory } from "./norm.ts";

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
