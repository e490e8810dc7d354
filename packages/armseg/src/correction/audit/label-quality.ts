import { IGNORE_INDEX } from "../../core/ignore-index.ts";

/** Temperature of the soft minimum. */
const TEMPERATURE = 0.1;

/**
 * Returns the label quality of an image as cleanlab defines it: the soft minimum Σ s·softmax((1 − s)/0.1) of the likelihoods s of the given
 * labels (`cleanlab.segmentation.rank.get_label_quality_scores`; Lad & Mueller, "Estimating label quality and errors in semantic segmentation
 * data via any model", arXiv 2307.05080). Unlabelled pixels, which cleanlab does not know, are left out.
 *
 * @param label - Given classes; the ignore index where there is none.
 * @param givenLikelihood - p_y
 * @returns In [0, 1], the lower, the more suspicious; `null` without a labelled pixel.
 */
export function labelQuality(label: Uint8Array, givenLikelihood: Float32Array): number | null {
  let weights = 0;
  let weighted = 0;
  for (let i = 0; i < label.length; i++) {
    if (label[i] === IGNORE_INDEX) continue;
    const s = givenLikelihood[i]!;
    // The exponent is at most 10: nothing overflows.
    const weight = Math.exp((1 - s) / TEMPERATURE);
    weights += weight;
    weighted += weight * s;
  }
  return weights > 0 ? Math.min(1, weighted / weights) : null;
}
