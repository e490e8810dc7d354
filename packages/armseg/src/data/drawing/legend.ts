import type { ClassInfo, RgbImage } from "../sample.ts";
import { drawText_, fillRectangle_, LINE_HEIGHT, textWidth } from "./text.ts";

/**
 * A legend: a swatch and the name of every class, in as many columns as the width allows.
 *
 * @param width - Of the legend in pixels; it grows if one entry needs more.
 * @param textScale - Pixels a dot of the letters. Default 1.
 */
export function legend(classes: readonly ClassInfo[], width: number, textScale = 1): RgbImage {
  const line = (LINE_HEIGHT + 2) * textScale;
  const entry = line + Math.max(0, ...classes.map(({ name }) => textWidth(name, textScale))) + 6 * textScale;
  const columns = Math.max(1, Math.floor(width / entry));
  const rows = Math.ceil(classes.length / columns);
  const page: RgbImage = {
    height: Math.max(1, rows * line),
    width: Math.max(width, entry),
    data: new Uint8Array(Math.max(1, rows * line) * Math.max(width, entry) * 3).fill(255),
  };
  classes.forEach(({ name, color }, i) => {
    const left = (i % columns) * entry;
    const top = Math.floor(i / columns) * line;
    fillRectangle_(page, left, top, line - 2 * textScale, line - 2 * textScale, color);
    drawText_(page, name, left + line, top + textScale, [24, 24, 24], textScale);
  });
  return page;
}
