import { IGNORE_INDEX } from "../core/ignore-index.ts";
import type { AuditedPixels, FoundRegion } from "../correction/audit/find-regions.ts";
import type { ClassInfo } from "../data/sample.ts";
import type { AuditedImage, AuditSummary } from "../runs/audit/index.ts";

type ClassSummary = AuditSummary["classes"][number];

/** Counts the pixels of an image's label. */
export function countPixels(
  { label, prediction }: AuditedPixels,
  regions: readonly FoundRegion[],
): Pick<AuditedImage, "labelled" | "disagreeing" | "suspicious"> {
  let [labelled, disagreeing] = [0, 0];
  for (let i = 0; i < label.length; i++) {
    if (label[i] === IGNORE_INDEX) continue;
    labelled++;
    if (label[i] !== prediction[i]) disagreeing++;
  }
  return { labelled, disagreeing, suspicious: regions.reduce((sum, { area }) => sum + area, 0) };
}

/** The figures of each class, over all images. */
export class ClassCounts {
  readonly #classes: readonly ClassInfo[];
  readonly #labelled: Float64Array;
  readonly #disagreeing: Float64Array;
  /** By label and prediction, `[C, C]`. */
  readonly #pixels: Float64Array;
  readonly #regions: Float64Array;
  readonly #thresholds: Float64Array[] = [];

  constructor(classes: readonly ClassInfo[]) {
    const count = classes.length;
    this.#classes = classes;
    this.#labelled = new Float64Array(count);
    this.#disagreeing = new Float64Array(count);
    this.#pixels = new Float64Array(count * count);
    this.#regions = new Float64Array(count * count);
  }

  /** @param thresholds - Of one network; their mean is told. */
  addThresholds(thresholds: Float64Array): void {
    this.#thresholds.push(thresholds);
  }

  add({ label, prediction }: AuditedPixels, regions: readonly FoundRegion[]): void {
    for (let i = 0; i < label.length; i++) {
      const given = label[i]!;
      if (given === IGNORE_INDEX) continue;
      this.#labelled[given]!++;
      if (prediction[i] !== given) this.#disagreeing[given]!++;
    }
    for (const region of regions) {
      const at = region.label * this.#classes.length + region.prediction;
      this.#pixels[at]! += region.area;
      this.#regions[at]!++;
    }
  }

  result(): ClassSummary[] {
    return this.#classes.map(({ name, color }, label) => {
      const predictedAs = this.#predictedAs(label);
      const sum = (count: "pixels" | "regions") => predictedAs.reduce((all, entry) => all + entry[count], 0);
      return {
        name,
        color: [...color],
        threshold: this.#thresholds.reduce((all, own) => all + own[label]!, 0) / this.#thresholds.length,
        labelled: this.#labelled[label]!,
        disagreeing: this.#disagreeing[label]!,
        suspicious: sum("pixels"),
        regions: sum("regions"),
        predictedAs,
      };
    });
  }

  #predictedAs(label: number): ClassSummary["predictedAs"] {
    const count = this.#classes.length;
    return this.#classes
      .map((_, prediction) => {
        const at = label * count + prediction;
        return { class: prediction, pixels: this.#pixels[at]!, regions: this.#regions[at]! };
      })
      .filter(({ regions }) => regions > 0)
      .sort((a, b) => b.pixels - a.pixels);
  }
}
