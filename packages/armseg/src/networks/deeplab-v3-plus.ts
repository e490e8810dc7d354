import type { Tensor } from "@armseg/torch";
import { nn, ops } from "@armseg/torch";
import type { OutputStride } from "./backbone.ts";
import { ConvNorm } from "./conv-norm.ts";
import { DepthwiseSeparableConv } from "./depthwise.ts";
import type { Head, HeadOptions, HeadOutput } from "./head.ts";
import { classifier } from "./head.ts";
import { initialiseConvolutions } from "./initialise.ts";
import type { HasPooledNorm } from "./norm.ts";
import { assertPooledBatch, batchNorm } from "./norm.ts";
import { PooledConvNorm } from "./pooled-context.ts";

export interface DeepLabV3PlusOptions extends HeadOptions {
  /** Channels of the backbone's stages, finest first; the first and the last are used. */
  readonly inChannels: readonly number[];
  /** Channels that the finest stage is projected to. Default 48. */
  readonly lowLevelChannels?: number;
  /** Dilations of the four branches, the first of which is a 1×1 convolution; see {@link asppDilations}. */
  readonly dilations: readonly [1, number, number, number];
  /** Kernel of the projection behind the joined branches: mmsegmentation's 3, the default, or the original's 1. */
  readonly projectionSize?: 1 | 3;
}

/** Returns the recipe's dilations: (1, 12, 24, 36) at output stride 8, half of that at 16, a quarter at 32. */
export function asppDilations(outputStride: OutputStride): readonly [1, number, number, number] {
  const scale = 8 / outputStride;
  return [1, 12 * scale, 24 * scale, 36 * scale];
}

/**
 * DeepLabv3+ (Chen et al. 2018) as mmsegmentation's depthwise separable ASPP head, or as the original, with mmsegmentation's parameter
 * names.
 *
 * Image pooling, a 1×1 and three dilated separable convolutions of the last stage; joined, resized to the finest stage,
 * refined with its projection; dropout 0.1. 512 channels (the default), 48 for the low level and a 3×3 projection behind the branches are
 * the recipe's; the original has 256 channels and a 1×1 projection (its section 3.1 and authors' code).
 */
export class DeepLabV3PlusHead
  extends nn.Module<[stages: readonly Tensor[]], HeadOutput>
  implements Head, HasPooledNorm
{
  readonly convSeg: nn.Conv2d;
  readonly dropout: nn.Dropout2d;
  readonly imagePool: nn.Sequential;
  readonly asppModules: readonly nn.Module[];
  readonly bottleneck: PooledConvNorm;
  readonly c1Bottleneck: ConvNorm;
  readonly sepBottleneck: nn.Sequential;
  readonly featureChannels: number;
  readonly #pooledNorm: nn.Module;

  constructor(options: DeepLabV3PlusOptions) {
    super();
    const {
      classes,
      inChannels,
      headChannels: channels = 512,
      lowLevelChannels = 48,
      norm = batchNorm,
      dropout = 0.1,
      projectionSize = 3,
    } = options;
    const [lowLevel, deep] = [inChannels[0] as number, inChannels.at(-1) as number];
    const [, ...dilations] = options.dilations;
    const pooled = new ConvNorm(deep, channels, 1, { norm });
    this.#pooledNorm = pooled.bn;
    this.featureChannels = channels;
    this.dropout = new nn.Dropout2d(dropout);
    this.imagePool = new nn.Sequential(new nn.AdaptiveAvgPool2d(1), pooled);
    this.asppModules = [
      new ConvNorm(deep, channels, 1, { norm }),
      ...dilations.map((dilation) => new DepthwiseSeparableConv(deep, channels, { dilation, norm })),
    ];
    this.bottleneck = new PooledConvNorm(5 * channels, channels, { kernelSize: projectionSize, norm });
    this.c1Bottleneck = new ConvNorm(lowLevel, lowLevelChannels, 1, { norm });
    this.sepBottleneck = new nn.Sequential(
      new DepthwiseSeparableConv(channels + lowLevelChannels, channels, { norm }),
      new DepthwiseSeparableConv(channels, channels, { norm }),
    );
    initialiseConvolutions(this);
    this.convSeg = classifier(channels, classes);
  }

  get pooledNorm(): nn.Module {
    return this.#pooledNorm;
  }

  /** @throws {RangeError} In training with a batch of one, which the image pooling's normalisation cannot take. */
  forward(stages: readonly Tensor[]): HeadOutput {
    const [lowLevel, deep] = [stages[0] as Tensor, stages.at(-1) as Tensor];
    assertPooledBatch("DeepLabV3PlusHead", deep, this);
    const pooled = this.imagePool.call(deep); // [N, 512, 1, 1]
    const branches = ops.cat(
      this.asppModules.map((branch) => branch.call(deep)),
      1,
    ); // [N, 2048, H/8, W/8]
    const context = this.bottleneck.call(pooled, branches); // [N, 512, H/8, W/8]
    const [height, width] = [lowLevel.size(2), lowLevel.size(3)];
    const resized = nn.interpolate(context, { size: [height, width] }); // [N, 512, H/4, W/4]
    const joined = ops.cat([resized, this.c1Bottleneck.call(lowLevel)], 1); // [N, 560, H/4, W/4]
    const features = this.sepBottleneck.call(joined); // [N, 512, H/4, W/4]
    const logits = this.convSeg.call(this.dropout.call(features)); // [N, C, H/4, W/4]
    return { logits, features };
  }
}
