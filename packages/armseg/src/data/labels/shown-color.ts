import type { RawMask } from "./raw-mask.ts";

/** What says how a mask's values are shown. */
export type MaskForm = Pick<RawMask, "mode" | "bitDepth" | "palette">;

/**
 * Returns the colour that a viewer shows for a raw value of a mask, as `r << 16 | g << 8 | b`.
 *
 * Grey values are spread over 0 to 255: the 1 of a 1-bit mask is white. Palette indices are shown in their colour.
 */
export function shownColor(mask: MaskForm, value: number): number {
  if (mask.mode === "rgb") return value;
  if (mask.mode === "grey") return shownLevel(mask.bitDepth, value) * 0x010101;
  const [red = 0, green = 0, blue = 0] = (mask.palette ?? []).slice(3 * value, 3 * value + 3);
  return (red << 16) | (green << 8) | blue;
}

/** Returns the grey level, 0 to 255, that a viewer shows for a grey value of so many bits. */
export function shownLevel(bitDepth: number, value: number): number {
  return bitDepth > 8 ? value >> 8 : (value * 255) / (2 ** bitDepth - 1);
}

/** Whether a packed colour has three equal channels. */
export function isGreyColor(color: number): boolean {
  return (color & 255) * 0x010101 === color;
}
