import type { Tensor } from "@armseg/torch";
import { nn, ops } from "@armseg/torch";
import { ConvNorm } from "./conv-norm.ts";
import { FcnHead } from "./fcn-head.ts";
import type { Head, HeadOptions, HeadOutput } from "./head.ts";
import { classifier } from "./head.ts";
import { initialiseConvolutions } from "./initialise.ts";
import type { NormFactory } from "./norm.ts";
import { batchNorm } from "./norm.ts";

/**
 * Returns the mean feature of each class' soft region: f_k = Σ_i softmax_i(z_ki)·x_i (Yuan et al. 2020, equation 2).
 *
 * @param features - x, `[N, F, H, W]`. @param logits - z, `[N, K, H, W]`; the softmax runs over pixels.
 * @returns `[N, F, K, 1]`.
 */
export function gatherRegions(features: Tensor, logits: Tensor): Tensor {
  const shares = logits.flatten(2).softmax(2); // [N, K, H·W]
  const pixels = features.flatten(2).transpose(1, 2); // [N, H·W, F]
  return shares.to(pixels.dtype).matmul(pixels).transpose(1, 2).unsqueeze(3); // [N, F, K, 1]
}

/** Each pixel's mixture of the regions' features by similarity, joined with the pixel's own (Yuan et al. 2020, equations 3 to 5). */
export class ObjectContextBlock extends nn.Module<[pixels: Tensor, regions: Tensor]> {
  readonly keyProject: nn.Sequential;
  readonly queryProject: nn.Sequential;
  readonly valueProject: ConvNorm;
  readonly outProject: ConvNorm;
  readonly bottleneck: ConvNorm;
  readonly #scale: number;

  constructor(channels: number, keyChannels: number, norm: NormFactory) {
    super();
    const pointwise = (from: number, to: number) => new ConvNorm(from, to, 1, { norm });
    const twice = () =>
      new nn.Sequential(pointwise(channels, keyChannels), pointwise(keyChannels, keyChannels));
    this.keyProject = twice();
    this.queryProject = twice();
    this.valueProject = pointwise(channels, keyChannels);
    this.outProject = pointwise(keyChannels, channels);
    this.bottleneck = pointwise(2 * channels, channels);
    this.#scale = keyChannels ** -0.5;
  }

  /** @param pixels - `[N, F, H, W]`. @param regions - `[N, F, K, 1]`. @returns `[N, F, H, W]`. */
  forward(pixels: Tensor, regions: Tensor): Tensor {
    const [, , height, width] = pixels.shape as [number, number, number, number];
    const query = this.queryProject.call(pixels).flatten(2).transpose(1, 2); // [N, H·W, Q]
    const key = this.keyProject.call(regions).flatten(2); // [N, Q, K]
    const value = this.valueProject.call(regions).flatten(2).transpose(1, 2); // [N, K, Q]
    const similarity = query.matmul(key).mul(this.#scale).softmax(-1); // [N, H·W, K]
    const mixture = similarity.to(value.dtype).matmul(value); // [N, H·W, Q]
    const context = this.outProject.call(mixture.unflatten(1, [height, width]).permute([0, 3, 1, 2])); // [N, F, H, W]
    return this.bottleneck.call(ops.cat([context, pixels], 1)); // [N, F, H, W]
  }
}

export interface ObjectContextOptions extends HeadOptions {
  readonly inChannels: number;
  /** Channels of query, key and value. Default 256. */
  readonly keyChannels?: number;
}

/** From the last stage and soft regions to logits: mmsegmentation's OCRHead, its second stage. */
export class ObjectContextHead extends nn.Module<[stage: Tensor, regionLogits: Tensor], HeadOutput> {
  readonly convSeg: nn.Conv2d;
  readonly dropout: nn.Dropout2d;
  readonly objectContextBlock: ObjectContextBlock;
  readonly bottleneck: ConvNorm;

  constructor(options: ObjectContextOptions) {
    super();
    const {
      classes,
      inChannels,
      headChannels: channels = 512,
      keyChannels = 256,
      dropout = 0.1,
      norm = batchNorm,
    } = options;
    this.dropout = new nn.Dropout2d(dropout);
    this.objectContextBlock = new ObjectContextBlock(channels, keyChannels, norm);
    this.bottleneck = new ConvNorm(inChannels, channels, 3, { padding: 1, norm });
    initialiseConvolutions(this);
    this.convSeg = classifier(channels, classes);
  }

  forward(stage: Tensor, regionLogits: Tensor): HeadOutput {
    const pixels = this.bottleneck.call(stage); // [N, F, h, w]
    const [, , height, width] = pixels.shape as [number, number, number, number];
    const isSized = regionLogits.size(2) === height && regionLogits.size(3) === width;
    const soft = isSized ? regionLogits : nn.interpolate(regionLogits, { size: [height, width] }); // [N, C, h, w]
    const regions = gatherRegions(pixels, soft); // [N, F, C, 1]
    const features = this.objectContextBlock.call(pixels, regions); // [N, F, h, w]
    const logits = this.convSeg.call(this.dropout.call(features)); // [N, C, h, w]
    return { logits, features };
  }
}

export interface OcrOptions extends Omit<ObjectContextOptions, "inChannels"> {
  /** Channels of the backbone's stages, finest first. */
  readonly inChannels: readonly number[];
  /** Channels of the head that predicts the soft regions. Default 256. */
  readonly regionChannels?: number;
  /** Size of its kernel. Default 3. */
  readonly regionKernelSize?: 1 | 3;
}

/**
 * Object-contextual representations (Yuan et al. 2020) in mmsegmentation's order, with its parameter names.
 *
 * An FCN head on the stage before the last gives the soft regions, and is the auxiliary output; `1` reads the last stage.
 */
export class OcrHead extends nn.Module<[stages: readonly Tensor[]], HeadOutput> implements Head {
  readonly regions: FcnHead;
  readonly objectContext: ObjectContextHead;
  readonly featureChannels: number;

  constructor(options: OcrOptions) {
    super();
    const { inChannels, regionChannels = 256, regionKernelSize = 3, ...rest } = options;
    const stageFromLast = inChannels.length > 1 ? 2 : 1;
    const regionInput = inChannels.at(-stageFromLast) as number;
    const shape = { stageFromLast, kernelSize: regionKernelSize, headChannels: regionChannels };
    this.regions = new FcnHead({ ...rest, ...shape, inChannels: regionInput });
    this.objectContext = new ObjectContextHead({ ...rest, inChannels: inChannels.at(-1) as number });
    this.featureChannels = rest.headChannels ?? 512;
  }

  /** mmsegmentation numbers the two stages. */
  protected override *members(): Iterable<[name: string, member: unknown]> {
    yield ["0", this.regions];
    yield ["1", this.objectContext];
  }

  forward(stages: readonly Tensor[]): HeadOutput {
    const auxiliary = this.regions.call(stages).logits; // [N, C, h, w]
    return { ...this.objectContext.call(stages.at(-1) as Tensor, auxiliary), auxiliary };
  }
}
