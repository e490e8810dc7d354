export type { Backbone, OutputStride, StageCount } from "./backbone.ts";
export type { BackboneName, BackboneOptions } from "./backbones.ts";
export { BACKBONES } from "./backbones.ts";
export { Conv2d, type KernelShape, kernelShapeName } from "./conv-2d.ts";
export type { DeepLabV3PlusOptions } from "./deeplab-v3-plus.ts";
export { asppDilations, DeepLabV3PlusHead } from "./deeplab-v3-plus.ts";
export { DepthwiseConv2d } from "./depthwise.ts";
export type { FcnHeadOptions } from "./fcn-head.ts";
export { FcnHead } from "./fcn-head.ts";
export type { Head, HeadOptions, HeadOutput } from "./head.ts";
export { LogScaleHead } from "./head.ts";
export type { HrNetWidth } from "./hrnet.ts";
export { HrNet } from "./hrnet.ts";
export type { MobileNetV2Options } from "./mobilenet-v2.ts";
export { MobileNetV2 } from "./mobilenet-v2.ts";
export type { NormFactory } from "./norm.ts";
export { batchNorm, syncBatchNorm } from "./norm.ts";
export type { OcrOptions } from "./ocr.ts";
export { OcrHead } from "./ocr.ts";
export type { ResNeStDepth, ResNeStOptions } from "./resnest.ts";
export { ResNeSt } from "./resnest.ts";
export type { ResNetDepth, ResNetOptions, Stem } from "./resnet.ts";
export { ResNet } from "./resnet.ts";
export type { StrideOn } from "./resnet-blocks.ts";
export type {
  FrozenStages,
  HeadName,
  NetworkMemoryFormat,
  SegmenterConfig,
  SegmenterOutput,
} from "./segmenter.ts";
export { HEADS, Segmenter, segmenter } from "./segmenter.ts";
export type { NetworkSummary, PartSummary } from "./summary.ts";
export { formatSummary, kernelShapesOf, summarise } from "./summary.ts";
export type { WeightNames } from "./weights/names.ts";
export type { PrefixCount, ReshapedTensor, WeightsReport } from "./weights/report.ts";
export { formatWeightsReport } from "./weights/report.ts";
export type { LoadWeightsOptions, SaveWeightsOptions } from "./weights/weights.ts";
export { loadWeights, savePthWeights, saveWeights, WeightsError } from "./weights/weights.ts";
