import type { Tensor } from "@armseg/torch";
import { nn } from "@armseg/torch";
import { Conv2d } from "./conv-2d.ts";
import { zeroScale } from "./initialise.ts";
import type { NormFactory } from "./norm.ts";

/** Where a bottleneck with a stride has it: on its 3×3 (PyTorch), or on its first 1×1 (the Caffe weights). */
export type StrideOn = "3x3" | "1x1";

export interface BlockOptions {
  readonly stride: number;
  readonly dilation: number;
  /** Makes the identity fit: 1×1 convolution and normalisation; `null` where it fits. */
  readonly downsample: nn.Module | null;
  readonly strideOn: StrideOn;
  readonly norm: NormFactory;
}

/** A residual block, whose last normalisation can start with scale 0. */
export interface ResidualBlock extends nn.Module {
  /** Makes the block start as the identity: a zero-initialised residual (Goyal et al. 2017, section 5.1). */
  zeroInitialiseResidual(): void;
}

/** How a stage makes its blocks; the block's output has `width · expansion` channels. */
export interface BlockClass {
  readonly expansion: number;
  new (inChannels: number, width: number, options: BlockOptions): ResidualBlock;
}

/** Makes a 1×1 convolution with a stride, and normalisation: how the identity of a first block is made to fit. */
export function projection(
  inChannels: number,
  outChannels: number,
  stride: number,
  norm: NormFactory,
): nn.Module {
  return new nn.Sequential(
    new nn.Conv2d(inChannels, outChannels, 1, { stride, bias: false }),
    norm(outChannels),
  );
}

/** Makes the deep stem: three 3×3 convolutions, the first of stride 2, each with normalisation and ReLU; names `0` to `8`. */
export function deepStem(widths: readonly [number, number, number], norm: NormFactory): nn.Sequential {
  const layers = [3, ...widths].slice(0, -1).flatMap((inChannels, i) => {
    const outChannels = widths[i] as number;
    return [
      new Conv2d(inChannels, outChannels, 3, { stride: i === 0 ? 2 : 1, padding: 1, bias: false }),
      norm(outChannels),
      new nn.ReLU({ inPlace: true }),
    ];
  });
  return new nn.Sequential(...layers);
}

/** Two 3×3 convolutions (He et al. 2016, section 4.1); only the first is dilated, as in mmsegmentation. */
export class BasicBlock extends nn.Module implements ResidualBlock {
  static readonly expansion = 1;
  readonly conv1: nn.Conv2d;
  readonly bn1: nn.Module;
  readonly conv2: nn.Conv2d;
  readonly bn2: nn.Module;
  readonly downsample: nn.Module | null;

  constructor(inChannels: number, width: number, { stride, dilation, downsample, norm }: BlockOptions) {
    super();
    this.conv1 = new Conv2d(inChannels, width, 3, { stride, padding: dilation, dilation, bias: false });
    this.bn1 = norm(width);
    this.conv2 = new Conv2d(width, width, 3, { padding: 1, bias: false });
    this.bn2 = norm(width);
    this.downsample = downsample;
  }

  zeroInitialiseResidual(): void {
    zeroScale(this.bn2);
  }

  forward(x: Tensor): Tensor {
    const hidden = this.bn1.call(this.conv1.call(x)).relu_(); // [N, width, H', W']
    const residual = this.bn2.call(this.conv2.call(hidden)); // [N, width, H', W']
    const identity = this.downsample?.call(x) ?? x; // [N, width, H', W']
    return residual.add_(identity).relu_(); // [N, width, H', W']
  }
}

/** 1×1 down, 3×3, 1×1 up to four times the width (He et al. 2016, figure 5). */
export class Bottleneck extends nn.Module implements ResidualBlock {
  static readonly expansion = 4;
  readonly conv1: nn.Conv2d;
  readonly bn1: nn.Module;
  readonly conv2: nn.Conv2d;
  readonly bn2: nn.Module;
  readonly conv3: nn.Conv2d;
  readonly bn3: nn.Module;
  readonly downsample: nn.Module | null;

  constructor(inChannels: number, width: number, options: BlockOptions) {
    super();
    const { stride, dilation, downsample, strideOn, norm } = options;
    const [first, second] = strideOn === "1x1" ? [stride, 1] : [1, stride];
    this.conv1 = new nn.Conv2d(inChannels, width, 1, { stride: first, bias: false });
    this.bn1 = norm(width);
    this.conv2 = new Conv2d(width, width, 3, { stride: second, padding: dilation, dilation, bias: false });
    this.bn2 = norm(width);
    this.conv3 = new nn.Conv2d(width, width * Bottleneck.expansion, 1, { bias: false });
    this.bn3 = norm(width * Bottleneck.expansion);
    this.downsample = downsample;
  }

  zeroInitialiseResidual(): void {
    zeroScale(this.bn3);
  }

  forward(x: Tensor): Tensor {
    const narrow = this.bn1.call(this.conv1.call(x)).relu_(); // [N, width, H, W]
    const hidden = this.bn2.call(this.conv2.call(narrow)).relu_(); // [N, width, H', W']
    const residual = this.bn3.call(this.conv3.call(hidden)); // [N, 4·width, H', W']
    const identity = this.downsample?.call(x) ?? x; // [N, 4·width, H', W']
    return residual.add_(identity).relu_(); // [N, 4·width, H', W']
  }
}
