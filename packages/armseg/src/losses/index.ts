export type { BinSums, LossBins, LossFigures, LossReport, LossSums } from "@armseg/kernels";
export {
  BIN_SUMS,
  LOSS_SUMS,
  lossBins,
  namedBins,
  packLossReport,
  readLossReport,
  unpackLossReport,
} from "@armseg/kernels";
export { LabelRangeError } from "./labels.ts";
export type { LossInputs, LossSettings } from "./loss-terms.ts";
export type { OhemOptions } from "./ohem.ts";
export type { PixelLoss, PixelLossOptions } from "./pixel-losses.ts";
export type { PixelMaps } from "./pixel-maps.ts";
export { InvalidCurveError, NonFiniteLossError, pixelMaps } from "./pixel-maps.ts";
export type {
  SegmentationLossCall,
  SegmentationLossOptions,
  SegmentationLossResult,
} from "./segmentation-loss.ts";
export { SegmentationLoss } from "./segmentation-loss.ts";
