import { DataError } from "../data-error.ts";
import { colorKey } from "./label-map.ts";
import type { RawMask } from "./raw-mask.ts";
import { isGreyColor, shownLevel } from "./shown-color.ts";

/**
 * Reads a grey mask as one of two values: 0 below a threshold, 255 from it on.
 *
 * @param threshold - On the scale of 0 to 255, whatever the mask's bit depth.
 * @returns An 8-bit grey mask.
 * @throws {DataError} If the mask is indexed or has colours: they have no order.
 */
export function thresholdMask(mask: RawMask, threshold: number, path: string): RawMask {
  if (mask.mode === "palette")
    throw new DataError(
      `readLabel(): expected a grey mask for labels.threshold, got ${path}, which is indexed; save it as grey or leave the threshold out`,
      path,
    );
  const level = mask.mode === "grey" ? levelOf(mask.bitDepth) : (color: number) => levelOfColor(color, path);
  const { palette: _, ...rest } = mask;
  const values = new Uint8Array(mask.values.length);
  for (let i = 0; i < values.length; i++) values[i] = level(mask.values[i]!) < threshold ? 0 : 255;
  return { ...rest, mode: "grey", bitDepth: 8, values };
}

function levelOf(bitDepth: number): (value: number) => number {
  return (value) => shownLevel(bitDepth, value);
}

function levelOfColor(color: number, path: string): number {
  if (isGreyColor(color)) return color & 255;
  throw new DataError(
    `readLabel(): expected a grey mask for labels.threshold, got the colour ${colorKey(color)} in ${path}; save it as grey or leave the threshold out`,
    path,
  );
}
