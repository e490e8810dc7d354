import type { Tensor } from "@armseg/torch";
import { nn, tidy } from "@armseg/torch";
import type { Backbone, OutputStride, StageCount } from "./backbone.ts";
import { blockDilations, stageLayout } from "./backbone.ts";
import { initialiseConvolutions } from "./initialise.ts";
import type { NormFactory } from "./norm.ts";
import { batchNorm } from "./norm.ts";
import type { BlockClass, ResidualBlock, StrideOn } from "./resnet-blocks.ts";
import { BasicBlock, Bottleneck, deepStem, projection } from "./resnet-blocks.ts";

export type ResNetDepth = 18 | 34 | 50 | 101;

/** The 7×7 convolution of the original, or mmsegmentation's deep stem of three 3×3 (32, 32, 64 channels). */
export type Stem = "v1" | "v1c";

export interface ResNetOptions {
  /** Default 8. */
  readonly outputStride?: OutputStride;
  /** Default 4. */
  readonly stages?: StageCount;
  /** Default v1c. */
  readonly stem?: Stem;
  /** Default 3x3. */
  readonly strideOn?: StrideOn;
  readonly norm?: NormFactory;
}

type Blocks = readonly [number, number, number, number];

const DEPTHS = {
  18: { block: BasicBlock, blocks: [2, 2, 2, 2] },
  34: { block: BasicBlock, blocks: [3, 4, 6, 3] },
  50: { block: Bottleneck, blocks: [3, 4, 6, 3] },
  101: { block: Bottleneck, blocks: [3, 4, 23, 3] },
} as const satisfies Record<ResNetDepth, { block: BlockClass; blocks: Blocks }>;

const WIDTHS = [64, 128, 256, 512] as const;
const LAYERS = ["layer1", "layer2", "layer3", "layer4"] as const;

/**
 * ResNet (He et al. 2016) without its classifier, dilated to an output stride or ended behind a stage.
 *
 * mmsegmentation's ResNetV1c and ResNet; parameter names are torchvision's, but for the deep stem's (`stem.0.weight`).
 * Starts with Kaiming fan-out and zero-initialised residuals.
 */
export class ResNet extends nn.Module<[images: Tensor], readonly Tensor[]> implements Backbone {
  readonly stem: nn.Sequential | null;
  readonly conv1: nn.Conv2d | null;
  readonly bn1: nn.Module | null;
  readonly layer1: nn.Sequential;
  readonly layer2: nn.Sequential | null;
  readonly layer3: nn.Sequential | null;
  readonly layer4: nn.Sequential | null;
  readonly channels: readonly number[];
  readonly omitted: readonly string[];

  constructor(depth: ResNetDepth, options: ResNetOptions = {}) {
    super();
    const { stem = "v1c", norm = batchNorm, stages: count = 4 } = options;
    this.stem = stem === "v1c" ? deepStem([32, 32, 64], norm) : null;
    this.conv1 = stem === "v1" ? new nn.Conv2d(3, 64, 7, { stride: 2, padding: 3, bias: false }) : null;
    this.bn1 = stem === "v1" ? norm(64) : null;
    const { expansion } = DEPTHS[depth].block;
    this.channels = WIDTHS.slice(0, count).map((width) => width * expansion);
    this.omitted = LAYERS.slice(count);
    const stages = WIDTHS.slice(0, count).map((_, i) => makeStage(depth, i, options));
    const [first, second, third, fourth] = stages.map((blocks) => new nn.Sequential(...blocks));
    this.layer1 = first as nn.Sequential;
    this.layer2 = second ?? null;
    this.layer3 = third ?? null;
    this.layer4 = fourth ?? null;
    initialiseConvolutions(this);
    for (const block of stages.flat()) block.zeroInitialiseResidual();
  }

  #layers(): readonly nn.Sequential[] {
    return [this.layer1, this.layer2, this.layer3, this.layer4].filter((layer) => layer !== null);
  }

  stageModules(): readonly (readonly nn.Module[])[] {
    const stem = [this.stem, this.conv1, this.bn1].filter((module) => module !== null);
    return [stem, ...this.#layers().map((layer) => [layer])];
  }

  /** @param images - `[N, 3, H, W]`, normalised. @returns Up to four stages at strides 4, 8, and as dilated. */
  forward(images: Tensor): readonly Tensor[] {
    let x = tidy(() => this.#stem(images).maxPool2d([3, 3], [2, 2], [1, 1])); // [N, 64, H/4, W/4]
    return this.#layers().map((layer) => {
      x = layer.call(x); // [N, C1, H/4, W/4], [N, C2, H/8, W/8], [N, C3, H3, W3], [N, C4, H4, W4]
      return x;
    });
  }

  #stem(images: Tensor): Tensor {
    if (this.stem) return this.stem.call(images); // [N, 64, H/2, W/2]
    return (this.bn1 as nn.Module).call((this.conv1 as nn.Conv2d).call(images)).relu_();
  }
}

function makeStage(depth: ResNetDepth, index: number, options: ResNetOptions): ResidualBlock[] {
  const { outputStride = 8, strideOn = "3x3", norm = batchNorm } = options;
  const { block: Block, blocks } = DEPTHS[depth];
  const { strides, dilations } = stageLayout(outputStride);
  const width = WIDTHS[index] as number;
  const outChannels = width * Block.expansion;
  const inChannels = index === 0 ? 64 : outChannels / 2;
  return blockDilations(blocks[index] as number, dilations[index] as number).map((dilation, i) => {
    const stride = i === 0 ? (strides[index] as number) : 1;
    const fits = stride === 1 && (i > 0 || inChannels === outChannels);
    const downsample = fits ? null : projection(inChannels, outChannels, stride, norm);
    return new Block(i === 0 ? inChannels : outChannels, width, {
      stride,
      dilation,
      downsample,
      strideOn,
      norm,
    });
  });
}
