import type { ScanResult } from "./scan.ts";

export type ClassWeightFormula = "inverse-log" | "median-frequency" | "published";

/** What each formula computes, for logs. */
export const CLASS_WEIGHT_FORMULAS: Readonly<Record<ClassWeightFormula, string>> = {
  "inverse-log": "1 / ln(1.02 + f), f the class's share of the valid pixels (ENet)",
  "median-frequency":
    "median(g) / g, g the class's share of the valid pixels of the images that show it (SegNet)",
  published: "the list published for Cityscapes with OCRNet and HRNet",
};

/** Used for Cityscapes by openseg.pytorch and HRNet, in the order of the train ids; how they were computed is not known. */
const PUBLISHED = [
  0.8373, 0.918, 0.866, 1.0345, 1.0166, 0.9969, 0.9754, 1.0489, 0.8786, 1.0023, 0.9539, 0.9843, 1.1116,
  0.9037, 1.0865, 1.0955, 1.0865, 1.1529, 1.0507,
];

/**
 * A weight per class for the loss, from a scan's pixel counts.
 *
 * See {@link CLASS_WEIGHT_FORMULAS}. A class without a pixel has weight 0 by median frequency: there is nothing to weight.
 *
 * @returns `[C]`, in the order of the classes.
 * @throws If `published` is asked for classes other than the 19 of Cityscapes, or there is no valid pixel.
 */
export function classWeights(
  { classes, dataset }: Pick<ScanResult, "classes" | "dataset">,
  formula: ClassWeightFormula,
): number[] {
  if (formula === "published") return publishedWeights(dataset, classes.length);
  const total = classes.reduce((sum, { pixels }) => sum + pixels, 0);
  if (total === 0) throw new Error(`classWeights(): ${dataset} has no valid pixel`);
  if (formula === "inverse-log") return classes.map(({ pixels }) => 1 / Math.log(1.02 + pixels / total));
  const shares = classes.map(({ pixels, validPixelsOfImages }) =>
    pixels === 0 ? 0 : pixels / validPixelsOfImages,
  );
  const middle = median(shares.filter((share) => share > 0));
  return shares.map((share) => (share === 0 ? 0 : middle / share));
}

function publishedWeights(dataset: string, classCount: number): number[] {
  if (!dataset.startsWith("cityscapes") || classCount !== PUBLISHED.length)
    throw new Error(
      `classWeights(): published weights exist for Cityscapes only, not for ${dataset} with ${classCount} classes`,
    );
  return [...PUBLISHED];
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
