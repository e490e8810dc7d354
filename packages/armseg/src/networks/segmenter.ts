import type { Tensor } from "@armseg/torch";
import { nn } from "@armseg/torch";
import type { Backbone } from "./backbone.ts";
import { BACKBONES } from "./backbones.ts";
import type { FcnHead } from "./fcn-head.ts";
import type { Head } from "./head.ts";
import { auxiliaryHead, HEADS } from "./heads.ts";
import { LogScaleHead } from "./log-scale-head.ts";
import { minimumTrainingBatch } from "./norm.ts";
import type { NetworkMemoryFormat, SegmenterConfig } from "./segmenter-config.ts";

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
    options: { readonly classes: number; readonly memoryFormat: NetworkMemoryFormat },
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
  try {
    return assemble(backbone, config);
  } catch (error) {
    backbone.dispose(); // nobody else knows its parameters
    throw error;
  }
}

function assemble(backbone: Backbone, config: SegmenterConfig): Segmenter {
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

function assertCount(name: string, value: number): void {
  if (Number.isInteger(value) && value >= 1) return;
  throw new RangeError(`segmenter(): expected ${name} to be a whole number of at least 1, got ${value}`);
}
