import type { Backbone } from "./backbone.ts";
import { asppDilations, DeepLabV3PlusHead } from "./deeplab-v3-plus.ts";
import { FcnHead } from "./fcn-head.ts";
import type { Head } from "./head.ts";
import { OcrHead } from "./ocr.ts";
import type { SegmenterConfig } from "./segmenter-config.ts";

/** HRNet's recipes read the joined map by 1×1 convolutions of its own width, without dropout. */
function joinedShape(backbone: Backbone) {
  const channels = backbone.channels[0] as number;
  return { channels, kernelSize: 1, dropout: 0 } as const;
}

function isJoined(backbone: Backbone): boolean {
  return backbone.channels.length === 1;
}

function deeplabV3Plus(backbone: Backbone, config: SegmenterConfig): Head {
  if (isJoined(backbone)) {
    throw new RangeError(
      `segmenter(): head deeplabV3Plus expects a backbone with four stages, got ${config.backbone}, which joins them; ` +
        "take head ocr or fcn",
    );
  }
  const dilations = config.dilations ?? asppDilations(config.outputStride ?? 8);
  return new DeepLabV3PlusHead({ ...config, inChannels: backbone.channels, dilations });
}

function ocr(backbone: Backbone, config: SegmenterConfig): Head {
  const { channels, kernelSize, dropout } = isJoined(backbone)
    ? joinedShape(backbone)
    : ({ channels: 256, kernelSize: 3, dropout: 0.1 } as const);
  return new OcrHead({
    ...config,
    dropout: config.dropout ?? dropout,
    inChannels: backbone.channels,
    regionChannels: config.auxiliaryChannels ?? channels,
    regionKernelSize: kernelSize,
  });
}

function fcn(backbone: Backbone, config: SegmenterConfig): Head {
  const inChannels = backbone.channels.at(-1) as number;
  if (isJoined(backbone)) return new FcnHead({ ...joinedShape(backbone), ...config, inChannels });
  return new FcnHead({ channels: 512, ...config, inChannels, convolutions: 2, joinInput: true });
}

/** How each head is built on a backbone. */
export const HEADS = { deeplabV3Plus, ocr, fcn } as const satisfies Record<
  string,
  (backbone: Backbone, config: SegmenterConfig) => Head
>;

/**
 * The recipes' auxiliary head: one 3×3 convolution of the stage before the last. HRNet's recipes have none, OCR has its own.
 *
 * @returns `null` where there is none.
 */
export function auxiliaryHead(backbone: Backbone, config: SegmenterConfig): FcnHead | null {
  const isWanted = config.auxiliary ?? !isJoined(backbone);
  if (!isWanted || config.head === "ocr") return null;
  const stageFromLast = isJoined(backbone) ? 1 : 2;
  const inChannels = backbone.channels.at(-stageFromLast) as number;
  return new FcnHead({ ...config, inChannels, stageFromLast, channels: config.auxiliaryChannels ?? 256 });
}
