import type { Tensor } from "@armseg/torch";
import { nn, tidy } from "@armseg/torch";
import type { Backbone, OutputStride, StageCount } from "./backbone.ts";
import { blockDilations, stageLayout } from "./backbone.ts";
import { initialiseConvolutions, zeroScale } from "./initialise.ts";
import type { HasPooledNorm, NormFactory } from "./norm.ts";
import { assertPooledBatch, batchNorm } from "./norm.ts";
import { deepStem } from "./resnet-blocks.ts";

export type ResNeStDepth = 50 | 101;

export interface ResNeStOptions {
  /** Default 8. */
  readonly outputStride?: OutputStride;
  /** Default 4. */
  readonly stages?: StageCount;
  readonly norm?: NormFactory;
}

const BLOCKS = { 50: [3, 4, 6, 3], 101: [3, 4, 23, 3] } as const;
/** The authors' stem is half as wide for 50 layers. */
const STEM = { 50: [32, 32, 64], 101: [64, 64, 128] } as const;
const WIDTHS = [64, 128, 256, 512] as const;
const LAYERS = ["layer1", "layer2", "layer3", "layer4"] as const;
const EXPANSION = 4;

/**
 * Split attention of radix 2 (Zhang et al. 2020, section 3.1): two 3×3 convolutions of half of the input each, mixed channel by channel.
 *
 * The mixture is a softmax over the two, computed from their image-wide means by two 1×1 convolutions.
 */
class SplitAttention extends nn.Module implements HasPooledNorm {
  readonly conv: nn.Conv2d;
  readonly bn0: nn.Module;
  readonly fc1: nn.Conv2d;
  readonly bn1: nn.Module;
  readonly fc2: nn.Conv2d;

  constructor(channels: number, options: { dilation: number; norm: NormFactory }) {
    super();
    const { dilation, norm } = options;
    const inner = Math.max(channels / 2, 32); // radix · channels / 4
    const shape = { padding: dilation, dilation, groups: 2, bias: false };
    this.conv = new nn.Conv2d(channels, 2 * channels, 3, shape);
    this.bn0 = norm(2 * channels);
    this.fc1 = new nn.Conv2d(channels, inner, 1);
    this.bn1 = norm(inner);
    this.fc2 = new nn.Conv2d(inner, 2 * channels, 1);
  }

  get pooledNorm(): nn.Module {
    return this.bn1;
  }

  /** @throws {RangeError} In training with a batch of one, which the second normalisation cannot take. */
  forward(x: Tensor): Tensor {
    assertPooledBatch("SplitAttention", x, this);
    const splits = this.bn0.call(this.conv.call(x)).relu_(); // [N, 2·C, H, W]
    const [first, second] = splits.chunk(2, 1) as [Tensor, Tensor]; // [N, C, H, W] each
    const [firstShare, secondShare] = this.#shares(splits); // [N, C, 1, 1] each
    return first.mul(firstShare).addcmul_(second, secondShare); // [N, C, H, W]
  }

  #shares(splits: Tensor): [first: Tensor, second: Tensor] {
    const [batch, channels] = splits.shape as [number, number];
    const means = splits
      .mean([2, 3], true)
      .unflatten(1, [2, channels / 2])
      .sum([1]); // [N, C, 1, 1]
    const hidden = this.bn1.call(this.fc1.call(means)).relu_(); // [N, inner, 1, 1]
    const shares = this.fc2
      .call(hidden)
      .reshape([batch, 2, channels / 2, 1, 1])
      .softmax(1); // [N, 2, C, 1, 1]
    return [shares.select(1, 0), shares.select(1, 1)];
  }
}

interface SplitBlockOptions {
  readonly stride: number;
  readonly dilation: number;
  readonly downsample: nn.Module | null;
  readonly norm: NormFactory;
}

/** 1×1 down, split attention, where there is a stride an average of 3×3 pixels that takes it over, 1×1 up. */
class SplitBlock extends nn.Module {
  readonly conv1: nn.Conv2d;
  readonly bn1: nn.Module;
  readonly conv2: SplitAttention;
  readonly average: nn.AvgPool2d | null;
  readonly conv3: nn.Conv2d;
  readonly bn3: nn.Module;
  readonly downsample: nn.Module | null;

  constructor(inChannels: number, width: number, options: SplitBlockOptions) {
    super();
    const { stride, dilation, downsample, norm } = options;
    this.conv1 = new nn.Conv2d(inChannels, width, 1, { bias: false });
    this.bn1 = norm(width);
    this.conv2 = new SplitAttention(width, { dilation, norm });
    this.average = stride > 1 ? new nn.AvgPool2d(3, { stride, padding: 1 }) : null;
    this.conv3 = new nn.Conv2d(width, width * EXPANSION, 1, { bias: false });
    this.bn3 = norm(width * EXPANSION);
    this.downsample = downsample;
  }

  forward(x: Tensor): Tensor {
    const narrow = this.bn1.call(this.conv1.call(x)).relu_(); // [N, width, H, W]
    const attended = this.conv2.call(narrow); // [N, width, H, W]
    const hidden = this.average?.call(attended) ?? attended; // [N, width, H', W']
    const residual = this.bn3.call(this.conv3.call(hidden)); // [N, 4·width, H', W']
    const identity = this.downsample?.call(x) ?? x; // [N, 4·width, H', W']
    return residual.add_(identity).relu_(); // [N, 4·width, H', W']
  }
}

/**
 * ResNeSt (Zhang et al. 2020), radix 2, without its classifier, dilated to an output stride or ended behind a stage.
 *
 * mmsegmentation's: deep stem, to 64 channels (depth 50) or 128 (101); averages where a stride is, in the block and in its identity. Names as
 * there.
 */
export class ResNeSt extends nn.Module<[images: Tensor], readonly Tensor[]> implements Backbone {
  readonly stem: nn.Sequential;
  readonly layer1: nn.Sequential;
  readonly layer2: nn.Sequential | null;
  readonly layer3: nn.Sequential | null;
  readonly layer4: nn.Sequential | null;
  readonly channels: readonly number[];
  readonly omitted: readonly string[];

  constructor(depth: ResNeStDepth, options: ResNeStOptions = {}) {
    super();
    this.stem = deepStem(STEM[depth], options.norm ?? batchNorm);
    const widths = WIDTHS.slice(0, options.stages ?? 4);
    this.channels = widths.map((width) => width * EXPANSION);
    this.omitted = LAYERS.slice(widths.length);
    const stages = widths.map((_, i) => makeStage(depth, i, options));
    const [first, second, third, fourth] = stages.map((blocks) => new nn.Sequential(...blocks));
    this.layer1 = first as nn.Sequential;
    this.layer2 = second ?? null;
    this.layer3 = third ?? null;
    this.layer4 = fourth ?? null;
    initialiseConvolutions(this);
    for (const block of stages.flat()) zeroScale(block.bn3);
  }

  #layers(): readonly nn.Sequential[] {
    return [this.layer1, this.layer2, this.layer3, this.layer4].filter((layer) => layer !== null);
  }

  stageModules(): readonly (readonly nn.Module[])[] {
    return [[this.stem], ...this.#layers().map((layer) => [layer])];
  }

  /** @param images - `[N, 3, H, W]`, normalised; N at least 2 in training. @returns Up to four stages at strides 4, 8, and as dilated. */
  forward(images: Tensor): readonly Tensor[] {
    let x = tidy(() => this.stem.call(images).maxPool2d([3, 3], [2, 2], [1, 1])); // [N, 64 or 128, H/4, W/4]
    return this.#layers().map((layer) => {
      x = layer.call(x); // [N, 256, H/4, W/4], [N, 512, H/8, W/8], [N, 1024, H3, W3], [N, 2048, H4, W4]
      return x;
    });
  }
}

function makeStage(depth: ResNeStDepth, index: number, options: ResNeStOptions): SplitBlock[] {
  const { outputStride = 8, norm = batchNorm } = options;
  const { strides, dilations } = stageLayout(outputStride);
  const width = WIDTHS[index] as number;
  const outChannels = width * EXPANSION;
  const inChannels = index === 0 ? STEM[depth][2] : outChannels / 2;
  const blocks = BLOCKS[depth][index] as number;
  return blockDilations(blocks, dilations[index] as number).map((dilation, i) => {
    const stride = i === 0 ? (strides[index] as number) : 1;
    const downsample = i === 0 ? averagedProjection(inChannels, outChannels, stride, norm) : null;
    return new SplitBlock(i === 0 ? inChannels : outChannels, width, { stride, dilation, downsample, norm });
  });
}

/** The average takes the stride over from the projection; windows at the border count only what is inside the image. */
function averagedProjection(
  inChannels: number,
  outChannels: number,
  stride: number,
  norm: NormFactory,
): nn.Module {
  const average =
    stride === 1 ? new nn.Identity() : new nn.AvgPool2d(stride, { ceilMode: true, countIncludePad: false });
  return new nn.Sequential(
    average,
    new nn.Conv2d(inChannels, outChannels, 1, { bias: false }),
    norm(outChannels),
  );
}
