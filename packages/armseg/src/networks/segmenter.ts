import type { MemoryFormat, Tensor } from "@armseg/torch";
import { nn } from "@armseg/torch";
import type { Backbone } from "./backbone.ts";
import type { BackboneName, BackboneOptions } from "./backbones.ts";
import { BACKBONES } from "./backbones.ts";
import { asppDilations, DeepLabV3PlusHead } from "./deeplab-v3-plus.ts";
import { FcnHead } from "./fcn-head.ts";
import type { Head } from "./head.ts";
import { LogScaleHead } from "./log-scale-head.ts";
import { minimumTrainingBatch } from "./norm.ts";
import { OcrHead } from "./ocr.ts";

/** Logits of a batch, at the network's own resolution: the loss and the evaluation resize, not the network. */
export interface SegmenterOutput {
  /** `[N, C, h, w]`, at a quarter of the image's size for DeepLabv3+ and HRNet, else at the output stride. */
  readonly logits: Tensor;
  /** Logits of the auxiliary head, `[N, C, h', w']`; in training only. */
  readonly auxiliary?: Tensor;
  /** ln s of the KL loss, `[N, 1, h, w]`. */
  readonly logScale?: Tensor;
}

/** A network as a configuration names it: one backbone, one head. */
export interface SegmenterConfig extends BackboneOptions {
  readonly backbone: BackboneName;
  /** Default deeplabV3Plus. */
  readonly head?: HeadName;
  /** C, from the data set. */
  readonly classes: number;
  /** Width of the head. Default 512. */
  readonly channels?: number;
  /** Of DeepLabv3+: width of the finest stage's projection. Default 48. */
  readonly lowLevelChannels?: number;
  /** Of DeepLabv3+: dilations of its branches. Default by output stride, (1, 12, 24, 36) at 8. */
  readonly dilations?: readonly [1, number, number, number];
  /** Share of channels dropped before each classifier. Default 0.1 (HRNet: 0, as its recipe). */
  readonly dropout?: number;
  /** Whether stage 3 has a head of its own in training; OCR always has. Default true, false on HRNet. */
  readonly auxiliary?: boolean;
  /** Width of the auxiliary head. Default 256. */
  readonly auxiliaryChannels?: number;
  /** Whether ln s of the KL loss is predicted. Default false. */
  readonly logScale?: boolean;
  /** How weights and activations lie in memory. Default channels_last, which is faster on CPUs too. */
  readonly memoryFormat?: MemoryFormat & ("contiguous" | "channels_last");
}

/** How each head is built on a backbone. */
export const HEADS = {
  deeplabV3Plus: (backbone: Backbone, config: SegmenterConfig): Head =>
    new DeepLabV3PlusHead({
      ...config,
      inChannels: backbone.channels,
      dilations: config.dilations ?? asppDilations(config.outputStride ?? 8),
    }),
  ocr: (backbone: Backbone, config: SegmenterConfig): Head =>
    new OcrHead({
      ...config,
      inChannels: backbone.channels,
      ...(config.auxiliaryChannels !== undefined && { regionChannels: config.auxiliaryChannels }),
    }),
  fcn: (backbone: Backbone, config: SegmenterConfig): Head =>
    new FcnHead({
      ...config,
      channels: config.channels ?? 512,
      inChannels: backbone.channels.at(-1) as number,
      convolutions: 2,
      joinInput: true,
    }),
} as const;

export type HeadName = keyof typeof HEADS;

/** Backbone, head, and the heads that only training or the KL loss needs; names as in mmsegmentation's checkpoints. */
export class Segmenter extends nn.Module<[images: Tensor], SegmenterOutput> {
  readonly backbone: Backbone;
  readonly decodeHead: Head;
  readonly auxiliaryHead: FcnHead | null;
  readonly logScaleHead: LogScaleHead | null;
  readonly classes: number;
  readonly memoryFormat: "contiguous" | "channels_last";

  /** Use {@link segmenter}, which builds the parts from a configuration. */
  constructor(
    parts: {
      readonly backbone: Backbone;
      readonly head: Head;
      readonly auxiliary: FcnHead | null;
      readonly logScale: LogScaleHead | null;
    },
    options: { readonly classes: number; readonly memoryFormat: "contiguous" | "channels_last" },
  ) {
    super();
    this.backbone = parts.backbone;
    this.decodeHead = parts.head;
    this.auxiliaryHead = parts.auxiliary;
    this.logScaleHead = parts.logScale;
    this.classes = options.classes;
    this.memoryFormat = options.memoryFormat;
    this.to({ memoryFormat: options.memoryFormat });
  }

  /** Images that a training batch must have: 2 where a batch normalisation follows a global pooling, else 1. */
  get minimumTrainingBatch(): 1 | 2 {
    return minimumTrainingBatch(this);
  }

  /**
   * @param images - `[N, 3, H, W]`, normalised, of the parameters' dtype.
   * @throws {RangeError} In training with a batch of one, where a normalisation follows a global pooling.
   */
  forward(images: Tensor): SegmenterOutput {
    const stages = this.backbone.call(images.contiguous({ memoryFormat: this.memoryFormat }));
    const { logits, features, auxiliary: regions } = this.decodeHead.call(stages); // [N, C, h, w], [N, F, h, w]
    const auxiliary = this.isTraining ? (regions ?? this.auxiliaryHead?.call(stages).logits) : undefined;
    const logScale = this.logScaleHead?.call(features); // [N, 1, h, w]
    return { logits, ...(auxiliary && { auxiliary }), ...(logScale && { logScale }) };
  }
}

/**
 * The segmentation network of a configuration.
 *
 * @example
 * const network = segmenter({ backbone: "resnet50", head: "deeplabV3Plus", classes: 19 });
 * const { logits, auxiliary } = network.call(images);
 * @throws {RangeError} If options do not fit each other.
 */
export function segmenter(config: SegmenterConfig): Segmenter {
  assertCount("classes", config.classes);
  const backbone = BACKBONES[config.backbone](config);
  const head = HEADS[config.head ?? "deeplabV3Plus"](backbone, config);
  return new Segmenter(
    {
      backbone,
      head,
      auxiliary: auxiliaryHead(backbone, config),
      logScale: config.logScale ? new LogScaleHead(head.featureChannels) : null,
    },
    { classes: config.classes, memoryFormat: config.memoryFormat ?? "channels_last" },
  );
}

function auxiliaryHead(backbone: Backbone, config: SegmenterConfig): FcnHead | null {
  const isWanted = config.auxiliary ?? backbone.channels.length > 1;
  if (!isWanted || config.head === "ocr") return null;
  const stageFromLast = Math.min(2, backbone.channels.length);
  const inChannels = backbone.channels.at(-stageFromLast) as number;
  return new FcnHead({ ...config, inChannels, stageFromLast, channels: config.auxiliaryChannels ?? 256 });
}

function assertCount(name: string, value: number): void {
  if (Number.isInteger(value) && value >= 1) return;
  throw new RangeError(`segmenter(): expected ${name} to be a whole number of at least 1, got ${value}`);
}
