export {
  bestTile,
  CHANNEL_BLOCK,
  convolution3x3,
  depthwiseConvolution3x3,
  type TileSide,
} from "./convolution.ts";
export { unsupportedDeviceReason, unsupportedReason } from "./devices.ts";
export { isKernelLibraryBuilt, KERNELS, KernelLibraryError, loadKernels } from "./library.ts";
export type { BinSums, LossBins, LossFigures, LossReport, LossSums } from "./loss-report.ts";
export {
  BIN_SUMS,
  LOSS_SUMS,
  lossBins,
  lossReport,
  namedBins,
  packLossReport,
  readLossReport,
  unpackLossReport,
} from "./loss-report.ts";
export * from "./operators.ts";
