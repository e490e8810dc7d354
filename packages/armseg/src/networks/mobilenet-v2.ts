import type { Tensor } from "@armseg/torch";
import { nn } from "@armseg/torch";
import type { Backbone, OutputStride, StageCount } from "./backbone.ts";
import { ConvNorm } from "./conv-norm.ts";
import { DepthwiseConv2d } from "./depthwise.ts";
import { initialiseConvolutions } from "./initialise.ts";
import type { NormFactory } from "./norm.ts";
import { batchNorm } from "./norm.ts";

export interface MobileNetV2Options {
  /** Default 8. */
  readonly outputStride?: OutputStride;
  /** Default 4. */
  readonly stages?: StageCount;
  readonly norm?: NormFactory;
}

/** Expansion, channels and blocks of each layer (Sandler et al. 2018, table 2). */
const LAYERS = [
  { expansion: 1, channels: 16, blocks: 1 },
  { expansion: 6, channels: 24, blocks: 2 },
  { expansion: 6, channels: 32, blocks: 3 },
  { expansion: 6, channels: 64, blocks: 4 },
  { expansion: 6, channels: 96, blocks: 3 },
  { expansion: 6, channels: 160, blocks: 3 },
  { expansion: 6, channels: 320, blocks: 1 },
] as const;

/** Layers that are a stage's last: strides 4, 8, 16, 32. */
const STAGE_ENDS = [1, 2, 4, 6] as const;

const LAYOUTS = {
  8: { strides: [1, 2, 2, 1, 1, 1, 1], dilations: [1, 1, 1, 2, 2, 4, 4] },
  16: { strides: [1, 2, 2, 2, 1, 1, 1], dilations: [1, 1, 1, 1, 1, 2, 2] },
  32: { strides: [1, 2, 2, 2, 1, 2, 1], dilations: [1, 1, 1, 1, 1, 1, 1] },
} as const;

interface InvertedResidualOptions {
  readonly expansion: number;
  readonly stride: number;
  readonly dilation: number;
  readonly norm: NormFactory;
}

/** 1×1 up, 3×3 depthwise, 1×1 down without activation; the input is added where the shapes agree. */
class InvertedResidual extends nn.Module {
  readonly conv: nn.Sequential;
  readonly #isResidual: boolean;

  constructor(inChannels: number, outChannels: number, options: InvertedResidualOptions) {
    super();
    const { expansion, stride, dilation, norm } = options;
    const width = inChannels * expansion;
    const depthwise = { stride, padding: dilation, dilation, groups: width, convolution: DepthwiseConv2d };
    const expand = expansion === 1 ? [] : [new ConvNorm(inChannels, width, 1, { norm, activation: "relu6" })];
    this.conv = new nn.Sequential(
      ...expand,
      new ConvNorm(width, width, 3, { ...depthwise, norm, activation: "relu6" }),
      new ConvNorm(width, outChannels, 1, { norm, activation: "none" }),
    );
    this.#isResidual = stride === 1 && inChannels === outChannels;
  }

  forward(x: Tensor): Tensor {
    const residual = this.conv.call(x); // [N, out, H', W']
    return this.#isResidual ? residual.add_(x) : residual; // [N, out, H', W']
  }
}

function makeLayer(index: number, { outputStride = 8, norm = batchNorm }: MobileNetV2Options): nn.Sequential {
  const { expansion, channels, blocks } = LAYERS[index] as (typeof LAYERS)[number];
  const { strides, dilations } = LAYOUTS[outputStride];
  const inChannels = index === 0 ? 32 : (LAYERS[index - 1] as (typeof LAYERS)[number]).channels;
  const made = Array.from({ length: blocks }, (_, i) => {
    // Only a layer's first block is dilated, as in mmsegmentation.
    const [stride, dilation] = i === 0 ? [strides[index] as number, dilations[index] as number] : [1, 1];
    return new InvertedResidual(i === 0 ? inChannels : channels, channels, {
      expansion,
      stride,
      dilation,
      norm,
    });
  });
  return new nn.Sequential(...made);
}

/** MobileNetV2 (Sandler et al. 2018) without its last convolution and classifier, for small machines; names as in mmsegmentation. */
export class MobileNetV2 extends nn.Module<[images: Tensor], readonly Tensor[]> implements Backbone {
  readonly conv1: ConvNorm;
  readonly layers: readonly nn.Sequential[];
  readonly channels: readonly number[];
  readonly omitted: readonly string[];
  /** Layers that are a stage's last. */
  readonly #ends: readonly number[];

  constructor(options: MobileNetV2Options = {}) {
    super();
    const norm = options.norm ?? batchNorm;
    this.conv1 = new ConvNorm(3, 32, 3, { stride: 2, padding: 1, norm, activation: "relu6" });
    this.#ends = STAGE_ENDS.slice(0, options.stages ?? 4);
    const count = (this.#ends.at(-1) as number) + 1;
    this.channels = this.#ends.map((end) => LAYERS[end]?.channels as number);
    this.omitted = LAYERS.map((_, i) => `layer${i + 1}`).slice(count);
    this.layers = Array.from({ length: count }, (_, i) => makeLayer(i, options));
    initialiseConvolutions(this);
  }

  protected override *members(): Iterable<[name: string, member: unknown]> {
    yield ["conv1", this.conv1];
    for (const [i, layer] of this.layers.entries()) yield [`layer${i + 1}`, layer];
  }

  stageModules(): readonly (readonly nn.Module[])[] {
    const stages = this.#ends.map((end, i) => this.layers.slice((this.#ends[i - 1] ?? -1) + 1, end + 1));
    return [[this.conv1], ...stages];
  }

  /** @param images - `[N, 3, H, W]`, normalised. @returns Up to four stages of 24, 32, 96, 320 channels. */
  forward(images: Tensor): readonly Tensor[] {
    let x = this.conv1.call(images); // [N, 32, H/2, W/2]
    const outputs = this.layers.map((layer) => {
      x = layer.call(x); // [N, C, h, w]
      return x;
    });
    return this.#ends.map((end) => outputs[end] as Tensor);
  }
}
