import sharp from "sharp";
import { IGNORE_INDEX } from "../../core/ignore-index.ts";
import type { ClassInfo, LabelImage, RgbImage } from "../sample.ts";
import { checkLabel, labelPalette } from "./label-png.ts";

/** A small image file for a page. */
export interface Thumbnail {
  /** Pixels of the file. */
  readonly height: number;
  readonly width: number;
  readonly type: "jpeg" | "png";
  readonly file: Uint8Array;
}

/** Neither side of a thumbnail is longer. */
const LONGEST = 480;
/** Smaller labels are drawn larger, so that the stripes of ignored pixels have room. */
const LEAST_OF_LABELS = 240;
const JPEG_QUALITY = 80;

/** Stripes from lower left to upper right: a bright and a dark one, so that they show on any image, then the image itself. */
const STRIPES = { period: 14, bright: 3, dark: 6 };
const BRIGHT = 240;
const DARK = 40;
/** Borders are so much brighter than their classes, so that a label beside its place shows. */
const BORDER = 0.65;

/** Returns an image as a JPEG of at most 480 pixels a side. */
export async function imageThumbnail({ height, width, data }: RgbImage): Promise<Thumbnail> {
  const [tall, wide] = scaled(height, width, Math.min(1, LONGEST / Math.max(height, width)));
  const file = await sharp(data, { raw: { height, width, channels: 3 } })
    .resize(wide, tall, { fit: "fill" })
    .jpeg({ quality: JPEG_QUALITY })
    .toBuffer();
  return { height: tall, width: wide, type: "jpeg", file };
}

/**
 * Returns a label as a PNG of 240 to 480 pixels on its longer side, by nearest neighbour: classes in their colours, opaque, with
 * bright borders; ignored pixels hatched, transparent between the stripes.
 *
 * @throws {RangeError} If a label is neither a class nor 255.
 */
export async function labelThumbnail(label: LabelImage, classes: readonly ClassInfo[]): Promise<Thumbnail> {
  checkLabel("labelThumbnail", label, classes.length);
  const longest = Math.max(label.height, label.width);
  const shown = Math.min(LONGEST, Math.max(LEAST_OF_LABELS, longest));
  const [height, width] = scaled(label.height, label.width, shown / longest);
  const data = painted(nearest(label, height, width), labelPalette(classes));
  const file = await sharp(data, { raw: { height, width, channels: 4 } })
    .png({ compressionLevel: 9, palette: false })
    .toBuffer();
  return { height, width, type: "png", file };
}

function scaled(height: number, width: number, factor: number): [height: number, width: number] {
  return [Math.max(1, Math.round(height * factor)), Math.max(1, Math.round(width * factor))];
}

function nearest(label: LabelImage, height: number, width: number): LabelImage {
  const data = new Uint8Array(height * width);
  for (let row = 0; row < height; row++) {
    const from = Math.floor(((row + 0.5) * label.height) / height) * label.width;
    for (let column = 0; column < width; column++)
      data[row * width + column] = label.data[from + Math.floor(((column + 0.5) * label.width) / width)]!;
  }
  return { height, width, data };
}

/** Returns red, green, blue and alpha of each pixel. */
function painted({ width, data }: LabelImage, palette: Uint8Array): Uint8Array {
  const out = new Uint8Array(4 * data.length);
  data.forEach((label, i) => {
    const color =
      label === IGNORE_INDEX ? stripe(i % width, Math.floor(i / width)) : palette.subarray(3 * label);
    const isBorder = (i % width > 0 && data[i - 1] !== label) || (i >= width && data[i - width] !== label);
    if (!color && !isBorder) return;
    for (let channel = 0; channel < 3; channel++) {
      const own = color?.[channel] ?? BRIGHT;
      out[4 * i + channel] = isBorder ? own + BORDER * (BRIGHT - own) : own;
    }
    out[4 * i + 3] = 255;
  });
  return out;
}

function stripe(x: number, y: number): readonly number[] | undefined {
  const place = (x + y) % STRIPES.period;
  if (place >= STRIPES.dark) return undefined;
  return Array<number>(3).fill(place < STRIPES.bright ? BRIGHT : DARK);
}
