import type { RgbImage } from "../sample.ts";
import { drawText_, fillRectangle_, LETTER_WIDTH, LINE_HEIGHT } from "./text.ts";

/** A picture with the line below it. */
export interface SheetCell {
  readonly image: RgbImage;
  readonly caption?: string;
}

/** Looks of a sheet; sizes in pixels. */
export interface SheetOptions {
  /** Space between and around the pictures. Default 6. */
  readonly gap?: number;
  /** Pixels a dot of the letters. Default 1. */
  readonly textScale?: number;
  /** Default white. */
  readonly background?: readonly [number, number, number];
  /** Default nearly black. */
  readonly ink?: readonly [number, number, number];
}

/**
 * Lays pictures out in rows, each with its caption below; columns are as wide as their widest picture.
 *
 * Captions too long for their column are cut and end in `..`.
 *
 * @throws {RangeError} If there is no picture.
 */
export function sheet(rows: readonly (readonly SheetCell[])[], options: SheetOptions = {}): RgbImage {
  const { gap = 6, textScale = 1, background = [255, 255, 255], ink = [24, 24, 24] } = options;
  const columnCount = Math.max(0, ...rows.map((row) => row.length));
  if (columnCount === 0) {
    throw new RangeError("sheet(): expected at least one picture, got none.");
  }
  const widths = Array.from({ length: columnCount }, (_, i) =>
    Math.max(0, ...rows.map((row) => row[i]?.image.width ?? 0)),
  );
  const line = LINE_HEIGHT * textScale;
  const heights = rows.map(
    (row) =>
      Math.max(0, ...row.map((cell) => cell.image.height)) + (row.some((cell) => cell.caption) ? line : 0),
  );
  const width = gap + widths.reduce((sum, w) => sum + w + gap, 0);
  const height = gap + heights.reduce((sum, h) => sum + h + gap, 0);
  const page: RgbImage = { height, width, data: new Uint8Array(height * width * 3) };
  fillRectangle_(page, 0, 0, width, height, background);
  let top = gap;
  rows.forEach((row, r) => {
    let left = gap;
    row.forEach((cell, c) => {
      paste_(page, cell.image, left, top);
      const letters = Math.floor(widths[c]! / (LETTER_WIDTH * textScale));
      const caption = shorten(cell.caption ?? "", letters);
      drawText_(page, caption, left, top + cell.image.height + 2 * textScale, ink, textScale);
      left += widths[c]! + gap;
    });
    top += heights[r]! + gap;
  });
  return page;
}

function shorten(text: string, letters: number): string {
  return text.length <= letters ? text : `${text.slice(0, Math.max(0, letters - 2))}..`;
}

function paste_(page: RgbImage, image: RgbImage, left: number, top: number): void {
  for (let row = 0; row < image.height; row++) {
    const from = image.data.subarray(3 * row * image.width, 3 * (row + 1) * image.width);
    page.data.set(from, 3 * ((top + row) * page.width + left));
  }
}
