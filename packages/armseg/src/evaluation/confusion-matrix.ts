import { confusion } from "@armseg/kernels";
import type { Tensor } from "@armseg/torch";
import { tidy } from "@armseg/torch";
import { argumentError } from "../core/argument-error.ts";
import { IGNORE_INDEX } from "../core/ignore-index.ts";
import { isFusable, labelsOfLogits } from "./upsampled.ts";

/** Counts of pixels by label (row) and prediction (column), summed image by image: its memory is C × C, whatever the set. */
export class ConfusionMatrix {
  readonly numClasses: number;
  /** `[C, C]`, row-major. Whole numbers, exact up to 2^53: four billion images of two million pixels. */
  readonly counts: Float64Array;

  /** @throws {RangeError} If there are not 2 to 255 classes; labels have 8 bits and 255 is ignored. */
  constructor(numClasses: number) {
    if (!Number.isInteger(numClasses) || numClasses < 2 || numClasses > IGNORE_INDEX)
      throw argumentError("ConfusionMatrix", `2 to ${IGNORE_INDEX} classes`, numClasses);
    this.numClasses = numClasses;
    this.counts = new Float64Array(numClasses * numClasses);
  }

  /** Returns the matrix whose rows these are. @throws {RangeError} If it is not square. */
  static fromArray(rows: readonly (readonly number[])[]): ConfusionMatrix {
    const matrix = new ConfusionMatrix(rows.length);
    rows.forEach((row, label) => {
      if (row.length !== rows.length)
        throw argumentError("fromArray", `${rows.length} columns`, `${row.length} in row ${label}`);
      matrix.counts.set(row, label * rows.length);
    });
    return matrix;
  }

  /** Returns the pixels of class `label` that were predicted as class `prediction`. */
  at(label: number, prediction: number): number {
    return this.counts[label * this.numClasses + prediction] as number;
  }

  /**
   * Counts the arg-max of bilinearly upsampled logits (`align_corners = false`) against the labels, without logits in full resolution.
   *
   * @param logits - `[N, C, h, w]`, floating point.
   * @param labels - `[N, H, W]`, uint8 or int64, `0..C-1` or 255 (ignored).
   * @returns What was added, for figures by image.
   * @throws {Error} If a label is no class, or the logits are not finite or of another number of classes.
   */
  add(logits: Tensor, labels: Tensor): ConfusionMatrix {
    if (logits.size(1) !== this.numClasses)
      throw argumentError(
        "ConfusionMatrix.add",
        `logits of ${this.numClasses} classes`,
        logits.shape,
        "take a network whose head fits the data set",
      );
    const added = new ConfusionMatrix(this.numClasses);
    tidy(() => {
      if (isFusable(logits)) {
        added.#addCounts(confusion(logits, labels.to(logits.device, labels.dtype)).cpu().toTypedArray());
      } else added.addMaps(bytes(labels), bytes(labelsOfLogits(logits, [labels.size(1), labels.size(2)])));
    });
    return this.merge(added) && added;
  }

  /**
   * Counts predictions against labels, pixel by pixel.
   *
   * @param labels - `0..C-1` or 255 (ignored).
   * @param predictions - As many as labels; `0..C-1` wherever the label is not ignored.
   * @throws {RangeError} If a counted value is no class.
   */
  addMaps(labels: Uint8Array, predictions: Uint8Array): this {
    const { counts, numClasses } = this;
    if (labels.length !== predictions.length)
      throw argumentError(
        "addMaps",
        "as many predictions as labels",
        `${predictions.length} for ${labels.length}`,
      );
    for (let i = 0; i < labels.length; i++) {
      const label = labels[i]!;
      if (label === IGNORE_INDEX) continue;
      const prediction = predictions[i]!;
      if (label >= numClasses || prediction >= numClasses)
        throw outside(
          label >= numClasses ? "label" : "prediction",
          Math.max(label, prediction),
          i,
          numClasses,
        );
      counts[label * numClasses + prediction]! += 1;
    }
    return this;
  }

  /** Adds another part of the set: in any order, the same numbers. */
  merge(other: ConfusionMatrix): this {
    if (other.numClasses !== this.numClasses)
      throw argumentError("merge", `${this.numClasses} classes`, other.numClasses);
    return this.#addCounts(other.counts);
  }

  /** Returns rows of counts, for JSON. */
  toArray(): number[][] {
    const { counts, numClasses } = this;
    return Array.from({ length: numClasses }, (_, row) =>
      Array.from(counts.subarray(row * numClasses, (row + 1) * numClasses)),
    );
  }

  #addCounts(counts: ArrayLike<number | bigint>): this {
    for (let i = 0; i < this.counts.length; i++) this.counts[i]! += Number(counts[i]);
    return this;
  }
}

function outside(what: string, value: number, pixel: number, numClasses: number): RangeError {
  return argumentError(
    "addMaps",
    `every ${what} in 0..${numClasses - 1}, or ${IGNORE_INDEX} where a label is ignored`,
    `${what} ${value} at pixel ${pixel}`,
    "map the file's values to classes first",
  );
}

function bytes(map: Tensor): Uint8Array {
  return map.to("cpu", "uint8").toTypedArray() as Uint8Array;
}
