import type { BackboneName, BackboneOptions } from "./backbones.ts";

export type HeadName = "deeplabV3Plus" | "ocr" | "fcn";

/** How tensors lie in memory. */
export type NetworkMemoryFormat = "contiguous" | "channels_last";

/** A network as a configuration names it: one backbone, one head. */
export interface SegmenterConfig extends BackboneOptions {
  readonly backbone: BackboneName;
  /** Default deeplabV3Plus. */
  readonly head?: HeadName;
  /** C, from the data set. */
  readonly classes: number;
  /** Width of the head. Default 512; that of the joined map for `fcn` on HRNet. */
  readonly channels?: number;
  /** Of DeepLabv3+: width of the finest stage's projection. Default 48. */
  readonly lowLevelChannels?: number;
  /** Of DeepLabv3+: dilations of its branches. Default by output stride, (1, 12, 24, 36) at 8. */
  readonly dilations?: readonly [1, number, number, number];
  /** Of OCR: width of query, key and value. Default 256. */
  readonly keyChannels?: number;
  /** Share of channels dropped before each classifier. Default 0.1; 0 on HRNet. */
  readonly dropout?: number;
  /** Whether the stage before the last has a head of its own in training. OCR always has. Default true; false on HRNet. */
  readonly auxiliary?: boolean;
  /** Width of the auxiliary head. Default 256; that of the joined map for OCR on HRNet. */
  readonly auxiliaryChannels?: number;
  /** Whether ln s of the KL loss is predicted. Default false. */
  readonly logScale?: boolean;
  /** Default channels_last, the faster one on CPUs too. */
  readonly memoryFormat?: NetworkMemoryFormat;
}
