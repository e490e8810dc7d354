import type { Tensor } from "@armseg/torch";
import { nn, ops, tidy } from "@armseg/torch";
import { argumentError } from "../core/argument-error.ts";
import type { Backbone, StageCount } from "./backbone.ts";
import { convNormLayers, HighResolutionModule } from "./hrnet-module.ts";
import { initialiseConvolutions } from "./initialise.ts";
import type { NormFactory } from "./norm.ts";
import { batchNorm } from "./norm.ts";
import { Bottleneck, projection } from "./resnet-blocks.ts";

/** Width of the finest branch; each further one has twice the width at half the resolution. */
export type HrNetWidth = 18 | 48;

export interface HrNetOptions {
  /** All: what is read are the branches of the last stage, joined. */
  readonly stages?: StageCount;
  readonly norm?: NormFactory;
}

/** Modules of stages 2, 3 and 4, which have two, three and four branches. */
const MODULES = [1, 4, 3] as const;

/** Modules one after another, over lists of maps; names `0`, `1`, ... as in a Sequential. */
class HighResolutionStage extends nn.Module<[branches: readonly Tensor[]], readonly Tensor[]> {
  readonly parts: readonly HighResolutionModule[];

  constructor(modules: number, widths: readonly number[], norm: NormFactory) {
    super();
    this.parts = Array.from({ length: modules }, () => new HighResolutionModule(widths, norm));
  }

  protected override *members(): Iterable<[name: string, member: unknown]> {
    for (const [i, part] of this.parts.entries()) yield [String(i), part];
  }

  forward(branches: readonly Tensor[]): readonly Tensor[] {
    return this.parts.reduce((maps, part) => part.call(maps), branches);
  }
}

/** Opens one more branch from the last one, at half the size: `[null, ..., Sequential(Sequential(conv, norm, ReLU))]`. */
function opening(
  existing: number,
  inChannels: number,
  outChannels: number,
  norm: NormFactory,
): (nn.Sequential | null)[] {
  const down = convNormLayers(inChannels, outChannels, { stride: 2, norm });
  return [...Array.from({ length: existing }, () => null), new nn.Sequential(down)];
}

/** Applies a transition: a branch without a layer stays, a layer beyond the branches reads the last one. */
function transit(layers: readonly (nn.Sequential | null)[], maps: readonly Tensor[]): readonly Tensor[] {
  return layers.map((layer, i) => {
    const source = maps[Math.min(i, maps.length - 1)] as Tensor;
    return layer?.call(source) ?? source;
  });
}

/**
 * HRNetV2 (Sun et al. 2019): branches at strides 4 to 32, exchanged again and again; resized to stride 4 and joined, 720 channels
 * for W48, 270 for W18. mmsegmentation's, with `align_corners` false; names as there.
 */
export class HrNet extends nn.Module<[images: Tensor], readonly Tensor[]> implements Backbone {
  readonly conv1: nn.Conv2d;
  readonly bn1: nn.Module;
  readonly conv2: nn.Conv2d;
  readonly bn2: nn.Module;
  readonly layer1: nn.Sequential;
  readonly transition1: readonly (nn.Sequential | null)[];
  readonly stage2: HighResolutionStage;
  readonly transition2: readonly (nn.Sequential | null)[];
  readonly stage3: HighResolutionStage;
  readonly transition3: readonly (nn.Sequential | null)[];
  readonly stage4: HighResolutionStage;
  readonly channels: readonly number[];
  readonly omitted = [];

  /** @throws {RangeError} If stages are left out. */
  constructor(width: HrNetWidth, { norm = batchNorm, stages = 4 }: HrNetOptions = {}) {
    super();
    if (stages !== 4) {
      const remedy = "take stages: 4, or a ResNet or MobileNetV2, which can end earlier";
      throw argumentError("HrNet", "four stages, whose branches it joins", stages, remedy);
    }
    const widths = [width, 2 * width, 4 * width, 8 * width] as const;
    this.conv1 = new nn.Conv2d(3, 64, 3, { stride: 2, padding: 1, bias: false });
    this.bn1 = norm(64);
    this.conv2 = new nn.Conv2d(64, 64, 3, { stride: 2, padding: 1, bias: false });
    this.bn2 = norm(64);
    this.layer1 = new nn.Sequential(...firstStage(norm));
    const [, opened] = opening(1, 256, widths[1], norm);
    this.transition1 = [convNormLayers(256, widths[0], { stride: 1, norm }), opened as nn.Sequential];
    this.stage2 = new HighResolutionStage(MODULES[0], widths.slice(0, 2), norm);
    this.transition2 = opening(2, widths[1], widths[2], norm);
    this.stage3 = new HighResolutionStage(MODULES[1], widths.slice(0, 3), norm);
    this.transition3 = opening(3, widths[2], widths[3], norm);
    this.stage4 = new HighResolutionStage(MODULES[2], widths, norm);
    this.channels = [15 * width];
    initialiseConvolutions(this);
  }

  stageModules(): readonly (readonly nn.AnyModule[])[] {
    const opened = (layers: readonly (nn.Sequential | null)[]) => layers.filter((layer) => layer !== null);
    return [
      [this.conv1, this.bn1, this.conv2, this.bn2],
      [this.layer1],
      [...opened(this.transition1), this.stage2],
      [...opened(this.transition2), this.stage3],
      [...opened(this.transition3), this.stage4],
    ];
  }

  /** @param images - `[N, 3, H, W]`, normalised. @returns One map `[N, 15·width, H/4, W/4]`. */
  forward(images: Tensor): readonly Tensor[] {
    const features = tidy(() => this.layer1.call(this.#stem(images))); // [N, 256, H/4, W/4]
    const two = this.stage2.call(transit(this.transition1, [features])); // [N, C_i, H_i, W_i], i = 1, 2
    const three = this.stage3.call(transit(this.transition2, two)); // i = 1, 2, 3
    const four = this.stage4.call(transit(this.transition3, three)); // i = 1, 2, 3, 4
    const [finest, ...coarser] = four as [Tensor, ...Tensor[]];
    const size = [finest.size(2), finest.size(3)] as const;
    const resized = coarser.map((map) => nn.interpolate(map, { size })); // [N, C_i, H/4, W/4] each
    return [ops.cat([finest, ...resized], 1)]; // [N, 15·width, H/4, W/4]
  }

  #stem(images: Tensor): Tensor {
    const half = this.bn1.call(this.conv1.call(images)).relu_(); // [N, 64, H/2, W/2]
    return this.bn2.call(this.conv2.call(half)).relu_(); // [N, 64, H/4, W/4]
  }
}

function firstStage(norm: NormFactory): Bottleneck[] {
  const shape = { stride: 1, dilation: 1, strideOn: "3x3", norm } as const;
  return Array.from({ length: 4 }, (_, i) => {
    const downsample = i === 0 ? projection(64, 256, 1, norm) : null;
    return new Bottleneck(i === 0 ? 64 : 256, 64, { ...shape, downsample });
  });
}
