import type { Backbone, OutputStride, StageCount } from "./backbone.ts";
import { HrNet } from "./hrnet.ts";
import { MobileNetV2 } from "./mobilenet-v2.ts";
import type { NormFactory } from "./norm.ts";
import { ResNeSt } from "./resnest.ts";
import type { Stem } from "./resnet.ts";
import { ResNet } from "./resnet.ts";
import type { StrideOn } from "./resnet-blocks.ts";

/** Choices about a backbone; those that a family does not have are ignored by it. */
export interface BackboneOptions {
  /** Default 8. */
  readonly outputStride?: OutputStride;
  /** Ends the network behind a stage; HRNet, which joins all four, cannot. Default 4. */
  readonly stages?: StageCount;
  /** Of a ResNet. Default v1c. */
  readonly stem?: Stem;
  /** Of a ResNet. Default 3x3. */
  readonly strideOn?: StrideOn;
  readonly norm?: NormFactory;
}

/** How each backbone is built. */
export const BACKBONES = {
  resnet18: (options: BackboneOptions) => new ResNet(18, options),
  resnet34: (options: BackboneOptions) => new ResNet(34, options),
  resnet50: (options: BackboneOptions) => new ResNet(50, options),
  resnet101: (options: BackboneOptions) => new ResNet(101, options),
  resnest50: (options: BackboneOptions) => new ResNeSt(50, options),
  resnest101: (options: BackboneOptions) => new ResNeSt(101, options),
  hrnetW18: (options: BackboneOptions) => new HrNet(18, options),
  hrnetW48: (options: BackboneOptions) => new HrNet(48, options),
  mobilenetV2: (options: BackboneOptions) => new MobileNetV2(options),
} as const satisfies Record<string, (options: BackboneOptions) => Backbone>;

export type BackboneName = keyof typeof BACKBONES;
