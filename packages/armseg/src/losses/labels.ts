import type { Tensor } from "@armseg/torch";
import { IGNORE_INDEX } from "../core/ignore-index.ts";

/** A label that is neither a class nor the ignore index. */
export class LabelRangeError extends RangeError {
  override readonly name = "LabelRangeError";
  readonly code = "ERR_LABEL_RANGE";
}

/** Labels split into what the losses need. */
export interface CheckedLabels {
  /** Class of each pixel, 0 where ignored: safe to gather with. int64 `[N, H, W]`. */
  readonly classes: Tensor;
  /** Where the pixel is not ignored. bool `[N, H, W]`. */
  readonly valid: Tensor;
}

/**
 * Separates ignored from valid pixels, and refuses labels that are neither.
 *
 * @param labels - uint8 or int64, `[N, H, W]`.
 * @throws {LabelRangeError} If a label is outside 0..classes−1 and is not the ignore index; names the first.
 */
export function checkLabels(labels: Tensor, classes: number, ignoreIndex = IGNORE_INDEX): CheckedLabels {
  const wide = labels.to("int64"); // uint8 would compare −1 as 255
  const valid = wide.ne(ignoreIndex);
  const wrong = wide.lt(0).logicalOr(wide.ge(classes)).logicalAnd(valid);
  if (wrong.any().item()) throw outOfRange(wide.maskedSelect(wrong), classes, ignoreIndex);
  return { classes: wide.maskedFill(valid.logicalNot(), 0), valid };
}

function outOfRange(wrong: Tensor, classes: number, ignoreIndex: number): LabelRangeError {
  return new LabelRangeError(
    `SegmentationLoss.call(): expected labels 0 to ${classes - 1} or the ignore index ${ignoreIndex}, got ` +
      `${wrong.select(0, 0).item()} (${wrong.numel} such pixels); map the labels when they are read, ` +
      "or give the network as many classes as the labels have",
  );
}
