import { IGNORE_INDEX } from "../core/ignore-index.ts";
import type { LabelImage } from "./maps.ts";
import { checkSameSize } from "./maps.ts";
import { nanMean } from "./metrics.ts";

/** Boundary IoU of each class over the whole set; NaN for a class that is neither labelled nor predicted. */
export interface BoundaryScores {
  readonly mean: number;
  readonly iou: readonly number[];
}

/**
 * Boundary IoU (Cheng et al. 2021, arXiv 2103.16562): the IoU of the parts of label and prediction that lie within d of their own borders.
 *
 * d = max(1, round(ratio · diagonal)) in the chessboard metric, as d erosions by 3×3 in the authors' code, and the image's edge is a border.
 * Class by class, intersections and unions summed over the set.
 *
 * The paper knows no ignored pixels. Here they belong to no class in the label and in the prediction alike, so that a prediction
 * that is right wherever it is judged scores 1. (detectron2 erodes the map of class indices as if it were a grey image, which measures something else.)
 */
export class BoundaryIou {
  readonly numClasses: number;
  readonly dilationRatio: number;
  /** `[3, C]`: pixels of each class in both boundaries, in the label's, in the prediction's. */
  readonly counts: Float64Array;
  readonly #both: Float64Array;
  readonly #labelled: Float64Array;
  readonly #predicted: Float64Array;

  constructor(numClasses: number, { dilationRatio = 0.02 }: { readonly dilationRatio?: number } = {}) {
    this.numClasses = numClasses;
    this.dilationRatio = dilationRatio;
    this.counts = new Float64Array(3 * numClasses);
    const row = (index: number) => this.counts.subarray(index * numClasses, (index + 1) * numClasses);
    [this.#both, this.#labelled, this.#predicted] = [row(0), row(1), row(2)];
  }

  /**
   * Adds an image.
   *
   * @param label - `0..C-1` or 255 (ignored).
   * @param prediction - Of the label's size, `0..C-1`.
   * @throws {RangeError} If sizes differ.
   */
  add(label: LabelImage, prediction: LabelImage): this {
    checkSameSize("BoundaryIou.add", "a prediction", prediction, label);
    const distance = boundaryDistance(label, this.dilationRatio);
    const judged = { ...label, data: withoutIgnored(prediction.data, label.data) };
    const [inLabel, inPrediction] = [boundaryPixels(label, distance), boundaryPixels(judged, distance)];
    const [labelled, predicted, both] = [this.#labelled, this.#predicted, this.#both];
    for (let i = 0; i < inLabel.length; i++) {
      const truth = inLabel[i] === 1 ? label.data[i]! : IGNORE_INDEX;
      const guess = inPrediction[i] === 1 ? judged.data[i]! : IGNORE_INDEX;
      if (truth !== IGNORE_INDEX) labelled[truth]! += 1;
      if (guess !== IGNORE_INDEX) predicted[guess]! += 1;
      if (truth === guess && truth !== IGNORE_INDEX) both[truth]! += 1;
    }
    return this;
  }

  /** Adds another part of the set. */
  merge(other: BoundaryIou): this {
    for (let i = 0; i < this.counts.length; i++) this.counts[i]! += other.counts[i]!;
    return this;
  }

  result(): BoundaryScores {
    const iou = Array.from(this.#both, (both, c) => both / (this.#labelled[c]! + this.#predicted[c]! - both));
    return { mean: nanMean(iou), iou };
  }
}

function withoutIgnored(prediction: Uint8Array, label: Uint8Array): Uint8Array {
  const judged = Uint8Array.from(prediction);
  for (let i = 0; i < judged.length; i++) if (label[i] === IGNORE_INDEX) judged[i] = IGNORE_INDEX;
  return judged;
}

/** Returns the width of the band in pixels for maps of this size. */
export function boundaryDistance(
  { height, width }: Pick<LabelImage, "height" | "width">,
  ratio: number,
): number {
  return Math.max(1, roundHalfToEven(ratio * Math.sqrt(height ** 2 + width ** 2)));
}

/** Rounds as Python's round() does, which the reference uses. */
function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/**
 * Tells whether each pixel is within `distance` (chessboard) of a pixel of another value or of the outside: 1 or 0.
 *
 * A pixel is not when the square of 2·distance + 1 around it lies inside and holds one value: first along the rows, then down the
 * columns over what is left, so that the time does not depend on the distance or on the number of classes.
 */
export function boundaryPixels({ height, width, data }: LabelImage, distance: number): Uint8Array {
  const uniform = uniformRows(data, height, width, distance);
  const boundary = new Uint8Array(data.length).fill(1);
  const since = new Int32Array(width);
  for (let row = 0; row < height; row++)
    for (let x = 0, i = row * width; x < width; x++, i++) {
      const isSame = row > 0 && uniform[i] === uniform[i - width];
      if (!isSame) since[x] = row;
      if (uniform[i] !== NOT_UNIFORM && row - since[x]! >= 2 * distance) boundary[i - distance * width] = 0;
    }
  return boundary;
}

/** No label, being outside of 0..255. */
const NOT_UNIFORM = 256;

/** Returns the value of each pixel around which 2·distance + 1 pixels of the row are equal, else {@link NOT_UNIFORM}. */
function uniformRows(data: Uint8Array, height: number, width: number, distance: number): Uint16Array {
  const uniform = new Uint16Array(data.length).fill(NOT_UNIFORM);
  for (let row = 0; row < height; row++) {
    const start = row * width;
    for (let from = 0; from < width; ) {
      const value = data[start + from]!;
      let to = from + 1;
      while (to < width && data[start + to] === value) to++;
      if (to - from > 2 * distance) uniform.fill(value, start + from + distance, start + to - distance);
      from = to;
    }
  }
  return uniform;
}
