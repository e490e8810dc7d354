import { IGNORE_INDEX } from "../core/ignore-index.ts";

/** What a teacher says of an image, row-major, beside what the annotator said. */
export interface TaughtImage {
  /** The annotator's classes; the ignore index where they drew nothing. */
  readonly label: Uint8Array;
  /** The teacher's classes. */
  readonly prediction: Uint8Array;
  /** p of the teacher's class. */
  readonly likelihood: Float32Array;
}

/**
 * Returns the label with the teacher's class wherever the annotator drew nothing and the teacher is sure enough; what was drawn
 * stays as it is (DESIGN 6.2).
 *
 * @param thresholds - τ of each class: the least likelihood at which it is believed.
 * @param onlyDrawnClasses - Believes in classes only that the annotator drew somewhere in this image.
 */
export function fillLabel(
  { label, prediction, likelihood }: TaughtImage,
  thresholds: ArrayLike<number>,
  onlyDrawnClasses: boolean,
): Uint8Array {
  const isAllowed = onlyDrawnClasses ? drawnClasses(label) : null;
  return label.map((given, i) => {
    if (given !== IGNORE_INDEX) return given;
    const taught = prediction[i] as number;
    if (isAllowed && !isAllowed[taught]) return IGNORE_INDEX;
    return (likelihood[i] as number) >= (thresholds[taught] as number) ? taught : IGNORE_INDEX;
  });
}

function drawnClasses(label: Uint8Array): Uint8Array {
  const isDrawn = new Uint8Array(256);
  for (const given of label) isDrawn[given] = 1;
  return isDrawn;
}
