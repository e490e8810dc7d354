export { type Ade20kOptions, ade20k } from "./ade20k.ts";
export { type CamvidOptions, camvid } from "./camvid.ts";
export { type CityscapesOptions, cityscapes } from "./cityscapes.ts";
export { labelMapOf } from "./class-labels.ts";
export { type ClassWeightFormula, classWeights } from "./class-weights.ts";
export {
  type CoarsenFolderOptions,
  type CoarsenOptions,
  coarsen,
  coarsenFolder,
  coarsenStatistics,
  coarsenText,
} from "./coarsen/index.ts";
export {
  type CocoMaskOptions,
  type CocoOptions,
  type CocoPanopticOptions,
  coco,
  cocoPanoptic,
  cocoPixelmaps,
} from "./coco.ts";
export { type CvatOptions, cvat } from "./cvat.ts";
export { DataError } from "./data-error.ts";
export { type FolderOptions, folder } from "./folder.ts";
export { type InitProposal, proposeConfig } from "./init.ts";
export { type LabelmeOptions, labelme } from "./labelme.ts";
export { readImage } from "./read-image.ts";
export { readLabel } from "./read-label.ts";
export type {
  Annotation,
  ClassInfo,
  Dataset,
  LabelImage,
  LabelMap,
  Region,
  RgbImage,
  Sample,
} from "./sample.ts";
export { IGNORE_INDEX } from "./sample.ts";
export { isUsable, type ScanResult, scan } from "./scan.ts";
export { cachedScan } from "./scan-cache.ts";
export { scanText } from "./scan-text.ts";
export {
  generateScene,
  type SceneOptions,
  scenesClasses,
  type WriteScenesOptions,
  writeScenes,
} from "./scenes/index.ts";
export { pickSamples, splitNames } from "./split-names.ts";
export { withWeights } from "./weights.ts";
