import { IGNORE_INDEX } from "../core/ignore-index.ts";
import { fillMask_ } from "../core/region-mask.ts";
import { type AuditedPixels, findRegions } from "./audit/find-regions.ts";

/** Regions below this part of an image stay: an annotator's mistake is a polygon, while borders are never drawn to the pixel. */
const LEAST_PART = 5e-4;

/**
 * Returns the label with the regions replaced that the network is sure are wrong, as an audit finds them (DESIGN 6.4).
 *
 * @param thresholds - τ of each class: the least likelihood at which it is believed.
 * @param by - `prediction`: the network's class; `void`: no class.
 */
export function relabel(
  pixels: AuditedPixels,
  thresholds: ArrayLike<number>,
  by: "prediction" | "void",
): Uint8Array {
  const { height, width, label } = pixels;
  const corrected = { height, width, data: label.slice() };
  for (const { mask, prediction } of findRegions(pixels, thresholds, LEAST_PART * height * width)) {
    fillMask_(corrected, mask, by === "void" ? IGNORE_INDEX : prediction);
  }
  return corrected.data;
}
