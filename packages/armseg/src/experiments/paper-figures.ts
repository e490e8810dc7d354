import type { DataKind, NetworkKind, PaperFigures, PublishedSystem } from "./experiment.ts";
import type { MethodName } from "./methods.ts";

type Figures = Readonly<
  Partial<Record<DataKind, Partial<Record<NetworkKind, Partial<Record<MethodName, PaperFigures>>>>>>
>;

function scores(aAcc: number, mAcc: number, mIoU: number): PaperFigures {
  return { aAcc, mAcc, mIoU };
}

/** The paper prints all three metrics here; of aAcc and mAcc we have no record. */
function mIoUKnown(mIoU: number): PaperFigures {
  return { aAcc: null, mAcc: null, mIoU };
}

/**
 * Every figure of the paper's tables 1 to 5 and of section 4.5 (Liu et al. 2020, arXiv 2009.05205): percent, on val, at a single scale.
 *
 * The one place where they are typed: entries, recipes and tables of results take them from here or are held to it by tests.
 */
export const SINGLE_SCALE: Figures = {
  coarse: {
    "r101-deeplab": {
      ce: scores(93.55, 82.21, 70.33),
      ohem: scores(93.64, 82.23, 70.31),
      linear: scores(93.92, 83.3, 72.13),
      "linear-focus": scores(93.44, 81.46, 69.54),
      "linear-no-detach": scores(30.72, 8.27, 4.03),
      arm: scores(93.88, 83.83, 71.94),
      "arm-std": mIoUKnown(71.83),
      "arm-log-var": mIoUKnown(71.93),
      "arm-entropy": { mIoU: "NaN" },
      "arm-p1": { mIoU: "NaN" },
      "arm-p3": mIoUKnown(71.1),
      gce: mIoUKnown(71.23),
      "gce-arm": mIoUKnown(72.08),
      kl: mIoUKnown(69.06),
      // ARM is fed the s that the KL loss predicts: with the variance the paper has no figure.
      "kl-arm-uncertainty": mIoUKnown(71.86),
    },
    "r50-deeplab": { ce: scores(93.56, 82.33, 69.53), arm: scores(93.75, 82.46, 70.98) },
    "r101-ocr": { ce: scores(93.65, 82.52, 70.51), arm: scores(93.77, 83.31, 71.79) },
  },
  fine: {
    "r101-deeplab": {
      ce: scores(96.49, 90.47, 80.76),
      ohem: scores(96.52, 90.74, 81.23),
      arm: scores(96.62, 90.97, 81.73),
    },
    "r50-deeplab": { ce: scores(96.34, 90.08, 79.32), arm: scores(96.52, 90.39, 80.86) },
    "r101-ocr": { ce: scores(96.39, 90.17, 79.92), arm: scores(96.46, 90.94, 80.6) },
  },
  // Section 4.5: one figure, of the mean IoU.
  extra: { "r101-deeplab": { arm: { mIoU: 73.9 } } },
  ade20k: {
    "s101-deeplab": {
      ce: scores(80.88, 63.55, 45.91),
      ohem: scores(81.25, 65.19, 46.78),
      arm: scores(81.07, 64.22, 46.51),
    },
  },
};

function onTest(mIoU: number): PaperFigures {
  return { mIoU, on: "test" };
}

/** Table 6, with several scales and flips: Cityscapes trained on train + val and scored by the test server, ADE20K on val. */
export const MULTI_SCALE: Figures = {
  fine: {
    "r101-deeplab": { ce: onTest(81.39), ohem: onTest(81.81), linear: onTest(82.05), arm: onTest(81.87) },
  },
  coarse: {
    "r101-deeplab": { ce: onTest(71.28), ohem: onTest(71.18), linear: onTest(71.63), arm: onTest(71.96) },
  },
  ade20k: {
    "s101-deeplab": {
      ce: { mIoU: 46.46 },
      ohem: { mIoU: 47.3 },
      linear: { mIoU: 47.5 },
      arm: { mIoU: 47.19 },
    },
  },
};

function system(name: string, backbone: string, cityscapes: number | null, ade20k: number | null) {
  return { name, backbone, cityscapes, ade20k };
}

/** Table 6's systems of others, as the paper lists them. */
export const OTHER_SYSTEMS: readonly PublishedSystem[] = [
  system("CPNet", "R101", 81.3, 46.27),
  system("BFP", "R101", 81.4, null),
  system("OCNet", "R101", 81.7, 45.45),
  system("ACFNet", "R101", 81.8, null),
  system("GALD", "R101", 81.8, null),
  system("OCR", "R101", 81.8, 45.28),
  system("DGCNet", "R101", 82.0, null),
  system("ACNet", "R101", 82.3, 45.9),
  system("OCR", "HRNetV2-W48", 82.4, 45.66),
  system("DPC", "Xception-71", 82.7, null),
  system("GSCNN (Mapillary)", "WideResNet38", 82.8, null),
  system("Decouple", "R101", 82.8, null),
  system("DRANet", "R101", 82.9, 46.18),
  system("ResNeSt", "ResNeSt101", null, 46.91),
];
