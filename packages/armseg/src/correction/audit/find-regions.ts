import { findComponents } from "../../core/components.ts";
import { IGNORE_INDEX } from "../../core/ignore-index.ts";
import { type RegionMask, regionMask } from "../../core/region-mask.ts";

/** An image's labels and what a network makes of them, row-major, `height * width` each. */
export interface AuditedPixels {
  readonly height: number;
  readonly width: number;
  /** Given classes; the ignore index where there is none. */
  readonly label: Uint8Array;
  /** Predicted classes ŷ. */
  readonly prediction: Uint8Array;
  /** p_ŷ */
  readonly likelihood: Float32Array;
  /** p_y; read where there is a label only. */
  readonly givenLikelihood: Float32Array;
}

/** Connected pixels of one label that are predicted, surely enough, as one other class. */
export interface FoundRegion {
  readonly label: number;
  readonly prediction: number;
  readonly area: number;
  /** Σ (p_ŷ − p_y) over the pixels. */
  readonly score: number;
  /** Mean p_ŷ of the pixels. */
  readonly likelihood: number;
  /** Mean p_y of the pixels. */
  readonly givenLikelihood: number;
  readonly mask: RegionMask;
}

/**
 * Returns the regions of an image in reading order (DESIGN 6.4): connected components (4 neighbours) of {ŷ ≠ y, p_ŷ ≥ τ_ŷ}, unlabelled
 * pixels left out. A component has one label and one prediction: where a wrong polygon covers two things, each is a region, with a class of
 * its own to become.
 *
 * @param thresholds - τ of each class.
 * @param leastArea - Smaller components are none.
 */
export function findRegions(
  pixels: AuditedPixels,
  thresholds: ArrayLike<number>,
  leastArea: number,
): FoundRegion[] {
  return componentsWhere(
    pixels,
    (i) =>
      pixels.label[i] !== pixels.prediction[i] &&
      pixels.likelihood[i]! >= (thresholds[pixels.prediction[i]!] as number),
    leastArea,
  );
}

/** Returns the connected components of the labelled pixels that are chosen, of one label and one prediction each. */
export function componentsWhere(
  pixels: AuditedPixels,
  isChosen: (pixel: number) => boolean,
  leastArea: number,
): FoundRegion[] {
  const { height, width, label, prediction } = pixels;
  const pairs = new Int32Array(height * width).fill(-1);
  for (let i = 0; i < pairs.length; i++) {
    if (label[i] !== IGNORE_INDEX && isChosen(i)) pairs[i] = 256 * label[i]! + prediction[i]!;
  }
  const { ids, list } = findComponents(pairs, height, width);
  const [sums, given] = likelihoodSums(pixels, ids, list.length);
  return list.flatMap(({ value, area, top, left, bottom, right }, id) => {
    if (area < leastArea) return [];
    const box = { top, left, height: bottom - top + 1, width: right - left + 1 };
    return {
      label: value >> 8,
      prediction: value & 255,
      area,
      score: sums[id]! - given[id]!,
      likelihood: Math.min(1, sums[id]! / area),
      givenLikelihood: Math.min(1, given[id]! / area),
      mask: regionMask(box, (row, column) => ids[row * width + column] === id),
    };
  });
}

/** Sums of p_ŷ and of p_y over each component. */
function likelihoodSums(
  { likelihood, givenLikelihood }: AuditedPixels,
  ids: Int32Array,
  count: number,
): [Float64Array, Float64Array] {
  const sums = new Float64Array(count);
  const given = new Float64Array(count);
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i]!;
    if (id < 0) continue;
    sums[id]! += likelihood[i]!;
    given[id]! += givenLikelihood[i]!;
  }
  return [sums, given];
}
