import { IGNORE_INDEX } from "../../core/ignore-index.ts";
import type { ClassInfo, LabelMap } from "../sample.ts";

/** Name, label id, train id and colour of Cityscapes' labels (cityscapesScripts, `helpers/labels.py`). */
const LABELS: readonly (readonly [string, number, number, readonly [number, number, number]])[] = [
  ["road", 7, 0, [128, 64, 128]],
  ["sidewalk", 8, 1, [244, 35, 232]],
  ["building", 11, 2, [70, 70, 70]],
  ["wall", 12, 3, [102, 102, 156]],
  ["fence", 13, 4, [190, 153, 153]],
  ["pole", 17, 5, [153, 153, 153]],
  ["traffic light", 19, 6, [250, 170, 30]],
  ["traffic sign", 20, 7, [220, 220, 0]],
  ["vegetation", 21, 8, [107, 142, 35]],
  ["terrain", 22, 9, [152, 251, 152]],
  ["sky", 23, 10, [70, 130, 180]],
  ["person", 24, 11, [220, 20, 60]],
  ["rider", 25, 12, [255, 0, 0]],
  ["car", 26, 13, [0, 0, 142]],
  ["truck", 27, 14, [0, 0, 70]],
  ["bus", 28, 15, [0, 60, 100]],
  ["train", 31, 16, [0, 80, 100]],
  ["motorcycle", 32, 17, [0, 0, 230]],
  ["bicycle", 33, 18, [119, 11, 32]],
];

/** Labels that take part in nothing: name and label id. Licence plates (id -1) cannot appear in a PNG. */
const IGNORED: readonly (readonly [string, number])[] = [
  ["unlabeled", 0],
  ["ego vehicle", 1],
  ["rectification border", 2],
  ["out of roi", 3],
  ["static", 4],
  ["dynamic", 5],
  ["ground", 6],
  ["parking", 9],
  ["rail track", 10],
  ["guard rail", 14],
  ["bridge", 15],
  ["tunnel", 16],
  ["polegroup", 18],
  ["caravan", 29],
  ["trailer", 30],
  ["license plate", -1],
];

/** The 19 classes that Cityscapes evaluates, in the order of their train ids. */
export const CITYSCAPES_CLASSES: readonly ClassInfo[] = LABELS.map(([name, , , color]) => ({ name, color }));

/** The label id (0..33) of each class, for the benchmark's submissions. */
export const CITYSCAPES_LABEL_IDS: readonly number[] = LABELS.map(([, id]) => id);

/** `*_labelIds.png`: 34 ids to 19 classes. */
export const LABEL_IDS: LabelMap = {
  encoding: "values",
  classes: Object.fromEntries([
    ...LABELS.map(([, id, trainId]) => [id, trainId] as const),
    ...IGNORED.filter(([, id]) => id >= 0).map(([, id]) => [id, IGNORE_INDEX] as const),
  ]),
};

/** `*_labelTrainIds.png`: 0 to 18, and 255 ignored. */
export const LABEL_TRAIN_IDS: LabelMap = {
  encoding: "values",
  classes: Object.fromEntries([...LABELS.map(([, , trainId]) => [trainId, trainId]), [255, IGNORE_INDEX]]),
};

/** `*_polygons.json`: names to classes. */
export const LABEL_NAMES: LabelMap = {
  encoding: "names",
  classes: Object.fromEntries([
    ...LABELS.map(([name, , trainId]) => [name, trainId] as const),
    ...IGNORED.map(([name]) => [name, IGNORE_INDEX] as const),
  ]),
};
