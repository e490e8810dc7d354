import type { Tensor } from "@armseg/torch";
import { nn } from "@armseg/torch";
import { argumentError } from "../core/argument-error.ts";
import { type Backbone, lastStride, type OutputStride } from "./backbone.ts";
import { BACKBONES, type BackboneName, type BackboneOptions } from "./backbones.ts";
import { Conv2d } from "./conv-2d.ts";
import { asppDilations, DeepLabV3PlusHead } from "./deeplab-v3-plus.ts";
import { FcnHead } from "./fcn-head.ts";
import { type Head, LogScaleHead } from "./head.ts";
import { HrNet } from "./hrnet.ts";
import { minimumTrainingBatch } from "./norm.ts";
import { OcrHead } from "./ocr.ts";

/** `deeplabV3Plus` is mmsegmentation's (512 channels, 3×3 projection), `deeplabV3PlusOriginal` the authors' (256, 1×1). */
export type HeadName = "deeplabV3Plus" | "deeplabV3PlusOriginal" | "ocr" | "fcn";

/** How tensors lie in memory. */
export type NetworkMemoryFormat = "contiguous" | "channels_last";

/** Stages that are not trained, the stem with them. */
export type FrozenStages = 0 | 1 | 2 | 3 | 4;

/** A network as a configuration names it: one backbone, one head. */
export interface SegmenterConfig extends BackboneOptions {
  readonly backbone: BackboneName;
  /** Default deeplabV3Plus. */
  readonly head?: HeadName;
  /** C, from the data set. */
  readonly classes: number;
  /** Keeps the stem and so many stages as they are: no gradients, normalised by their running statistics. Default 0, nothing. */
  readonly frozenStages?: FrozenStages;
  /** Width of the head. Default 512; 256 for `deeplabV3PlusOriginal`, that of the joined map for `fcn` on HRNet. */
  readonly headChannels?: number;
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
  /** Default channels_last; on processors without AVX-512, contiguous is often faster. */
  readonly memoryFormat?: NetworkMemoryFormat;
  /** Names of the shapes of 3×3 convolutions that a processor computes by `@armseg/kernels` ({@link kernelShapeName}). Default none. */
  readonly kernelShapes?: ReadonlySet<string>;
}

/** Logits of a batch, at the network's own resolution: the loss and the evaluation resize, not the network. */
export interface SegmenterOutput {
  /** `[N, C, h, w]`, at a quarter of the image's size for DeepLabv3+ and HRNet, else at the output stride. */
  readonly logits: Tensor;
  /** Logits of the auxiliary head, `[N, C, h', w']`; in training only. */
  readonly auxiliary?: Tensor;
  /** ln s of the KL loss, `[N, 1, h, w]`. */
  readonly logScale?: Tensor;
}

/** Backbone, head, and the heads that only training or the KL loss needs; names as in mmsegmentation's checkpoints. */
export class Segmenter extends nn.Module<[images: Tensor], SegmenterOutput> {
  readonly backbone: Backbone;
  readonly decodeHead: Head;
  readonly auxiliaryHead: FcnHead | null;
  readonly logScaleHead: LogScaleHead | null;
  readonly classes: number;
  readonly memoryFormat: NetworkMemoryFormat;

  /** Use {@link segmenter}, which builds the parts from a configuration. */
  constructor(
    parts: {
      readonly backbone: Backbone;
      readonly head: Head;
      readonly auxiliary: FcnHead | null;
      readonly logScale: LogScaleHead | null;
    },
    options: Pick<SegmenterConfig, "classes" | "memoryFormat" | "kernelShapes">,
  ) {
    super();
    this.backbone = parts.backbone;
    this.decodeHead = parts.head;
    this.auxiliaryHead = parts.auxiliary;
    this.logScaleHead = parts.logScale;
    this.classes = options.classes;
    this.memoryFormat = options.memoryFormat ?? "channels_last";
    this.to({ memoryFormat: this.memoryFormat });
    const { kernelShapes } = options;
    if (kernelShapes)
      for (const module of this.modules()) if (module instanceof Conv2d) module.kernelShapes = kernelShapes;
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

/** HRNet's recipes read the joined map by 1×1 convolutions of its own width, without dropout. */
function joinedShape(backbone: Backbone) {
  const headChannels = backbone.channels[0] as number;
  return { headChannels, kernelSize: 1, dropout: 0 } as const;
}

function isJoined(backbone: Backbone): boolean {
  return backbone instanceof HrNet;
}

function deeplabV3PlusOriginal(backbone: Backbone, config: SegmenterConfig): Head {
  return deeplab(backbone, { headChannels: 256, ...config }, 1);
}

function deeplabV3Plus(backbone: Backbone, config: SegmenterConfig): Head {
  return deeplab(backbone, config, 3);
}

function deeplab(backbone: Backbone, config: SegmenterConfig, projectionSize: 1 | 3): Head {
  if (isJoined(backbone)) {
    throw argumentError(
      "segmenter",
      `a backbone with several stages for head ${config.head ?? "deeplabV3Plus"}`,
      `${config.backbone}, which joins them`,
      "take head ocr or fcn",
    );
  }
  const { outputStride = 8, stages = 4 } = config;
  if (stages === 1) {
    throw argumentError(
      "segmenter",
      `at least 2 stages for head ${config.head ?? "deeplabV3Plus"}, which refines the last by the first`,
      stages,
      "set stages: 2 or more, or take head fcn",
    );
  }
  const dilations = config.dilations ?? asppDilations(lastStride(outputStride, stages) as OutputStride);
  return new DeepLabV3PlusHead({ ...config, inChannels: backbone.channels, dilations, projectionSize });
}

function ocr(backbone: Backbone, config: SegmenterConfig): Head {
  const { headChannels, kernelSize, dropout } = isJoined(backbone)
    ? joinedShape(backbone)
    : ({ headChannels: 256, kernelSize: 3, dropout: 0.1 } as const);
  return new OcrHead({
    ...config,
    dropout: config.dropout ?? dropout,
    inChannels: backbone.channels,
    regionChannels: config.auxiliaryChannels ?? headChannels,
    regionKernelSize: kernelSize,
  });
}

function fcn(backbone: Backbone, config: SegmenterConfig): Head {
  const inChannels = backbone.channels.at(-1) as number;
  if (isJoined(backbone)) return new FcnHead({ ...joinedShape(backbone), ...config, inChannels });
  return new FcnHead({ headChannels: 512, ...config, inChannels, convolutions: 2, joinInput: true });
}

/** How each head is built on a backbone. */
export const HEADS = { deeplabV3Plus, deeplabV3PlusOriginal, ocr, fcn } as const satisfies Record<
  string,
  (backbone: Backbone, config: SegmenterConfig) => Head
>;

/**
 * Makes the recipes' auxiliary head: one 3×3 convolution of the stage before the last (of the only one, if it is). HRNet's recipes have none, OCR has its own.
 *
 * @returns `null` where there is none.
 */
function auxiliaryHead(backbone: Backbone, config: SegmenterConfig): FcnHead | null {
  const isWanted = config.auxiliary ?? !isJoined(backbone);
  if (!isWanted || config.head === "ocr") return null;
  const stageFromLast = Math.min(2, backbone.channels.length);
  const inChannels = backbone.channels.at(-stageFromLast) as number;
  const headChannels = config.auxiliaryChannels ?? 256;
  return new FcnHead({ ...config, inChannels, stageFromLast, headChannels });
}

/**
 * Builds the segmentation network of a configuration.
 *
 * @example
 * const network = segmenter({ backbone: "resnet50", head: "deeplabV3Plus", classes: 19 });
 * const { logits, auxiliary } = network.call(images);
 * @throws {RangeError} If options do not fit each other.
 */
export function segmenter(config: SegmenterConfig): Segmenter {
  assertCount("classes", config.classes);
  assertStages(config);
  const backbone = BACKBONES[config.backbone](config);
  try {
    return assemble(backbone, config);
  } catch (error) {
    backbone.dispose(); // nobody else knows its parameters
    throw error;
  }
}

function assemble(backbone: Backbone, config: SegmenterConfig): Segmenter {
  for (const module of frozenModules(backbone, config.frozenStages ?? 0)) module.freeze();
  const head = HEADS[config.head ?? "deeplabV3Plus"](backbone, config);
  return new Segmenter(
    {
      backbone,
      head,
      auxiliary: auxiliaryHead(backbone, config),
      logScale: config.logScale ? new LogScaleHead(head.featureChannels) : null,
    },
    config,
  );
}

function frozenModules(backbone: Backbone, stages: FrozenStages): readonly nn.AnyModule[] {
  return stages === 0
    ? []
    : backbone
        .stageModules()
        .slice(0, stages + 1)
        .flat();
}

function assertStages({ stages = 4, frozenStages = 0 }: SegmenterConfig): void {
  if (![1, 2, 3, 4].includes(stages)) throw argumentError("segmenter", "stages to be 1, 2, 3 or 4", stages);
  if ([0, 1, 2, 3, 4].includes(frozenStages) && frozenStages <= stages) return;
  throw argumentError("segmenter", `frozenStages to be 0 to ${stages}, the stages there are`, frozenStages);
}

function assertCount(name: string, value: number): void {
  if (Number.isInteger(value) && value >= 1) return;
  throw argumentError("segmenter", `${name} to be a whole number of at least 1`, value);
}
