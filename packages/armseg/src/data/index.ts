export { IGNORE_INDEX } from "../core/ignore-index.ts";
export { DataError } from "./data-error.ts";
export { type Ade20kOptions, ade20k } from "./formats/ade20k.ts";
export { type CamvidOptions, camvid } from "./formats/camvid.ts";
export { type CityscapesOptions, cityscapes } from "./formats/cityscapes.ts";
export {
  type CocoOptions,
  type CocoPanopticOptions,
  coco,
  cocoPanoptic,
} from "./formats/coco.ts";
export { type CvatOptions, cvat } from "./formats/cvat.ts";
export { type FolderOptions, folder } from "./formats/folder.ts";
export { type LabelmeOptions, labelme } from "./formats/labelme.ts";
export { type InitProposal, proposeConfig } from "./init.ts";
export { labelMapOf } from "./labels/class-labels.ts";
export { readLabel } from "./labels/read-label.ts";
export { readImage } from "./read-image.ts";
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
export { type ClassWeightFormula, classWeights } from "./scan/class-weights.ts";
export { isUsable } from "./scan/problems.ts";
export { type ScanResult, scan } from "./scan/scan.ts";
export { cachedScan } from "./scan/scan-cache.ts";
export { scanText } from "./scan/scan-text.ts";
export { pickSamples, splitNames } from "./split-names.ts";
export { withWeights } from "./weights.ts";
export { type WriteScenesOptions, writeScenes } from "./write-scenes.ts";
