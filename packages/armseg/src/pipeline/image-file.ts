import type { Sharp } from "sharp";
import { readRegularFile } from "../core/regular-file.ts";
import { type ImageForm, type ImageRange, imageForm } from "../data/image-form.ts";
import { imageSource } from "../data/image-source.ts";
import { chunks } from "../data/labels/png.ts";
import { decodeRgb, imageError, openImage } from "../data/read-image.ts";
import type { RgbImage } from "../data/sample.ts";
import type { Size, Window } from "./window.ts";

/** An image file whose header was read and whose pixels are decoded on demand, a part at a time. */
export interface ImageFile {
  /** `[height, width]`, upright. */
  readonly size: Size;
  /** By how much the image can be decoded smaller than it is: 1, and for most JPEGs 4 and 8 too. See {@link reductionsOf}. */
  readonly reductions: readonly number[];
  /**
   * Decodes a part; a file's rows below it are not decompressed.
   *
   * @param window - In pixels of the upright image, reduced.
   * @param reduction - One of {@link reductions}; each pixel is within some levels of the mean of so many squared. Default 1.
   * @throws {DataError} If the file is damaged; the message names it.
   */
  read(window: Window, reduction?: number): Promise<RgbImage>;
}

const PNG_FIRST_BYTE = 0x89;

/** Those that save time, see {@link reduced}. */
const JPEG_REDUCTIONS = [4, 8];

/**
 * Returns by how much an image can be decoded smaller than it is, with pixels that cover whole squares of it: both sides must be
 * multiples. Images that are turned by their EXIF orientation, or have more than 8 bits, are decoded as they are.
 */
function reductionsOf({ fileType, orientation, depth, size }: ImageForm): number[] {
  const isReducible = fileType === "jpeg" && orientation === 1 && depth === "uchar";
  return [1, ...JPEG_REDUCTIONS.filter((by) => isReducible && size.every((side) => side % by === 0))];
}

/**
 * Opens an image to decode parts of it, with the same sample values as {@link readImage} gives for the whole.
 *
 * A decoder that stops early does not see damage further down, so the checksums of PNG files are verified here, to the last chunk.
 *
 * @param range - The values of 16-bit, float and signed images that become 0 and 255.
 * @throws {DataError} If the file is missing, damaged, truncated or no image, or needs a range; the message names it.
 */
export async function openImageFile(path: string, range?: ImageRange): Promise<ImageFile> {
  let start: Uint8Array | undefined;
  try {
    const source = await imageSource(path);
    const bytes = typeof source === "string" ? await readRegularFile(source) : source;
    start = bytes;
    // Walking over the chunks verifies each.
    if (bytes[0] === PNG_FIRST_BYTE) for (const _ of chunks(bytes));
    const form = await imageForm(openImage(bytes, {}), range, bytes.length);
    return {
      size: form.size,
      reductions: reductionsOf(form),
      read: (window, reduction = 1) => readPart(path, bytes, form, { window, reduction, range }),
    };
  } catch (cause) {
    throw imageError("openImageFile", path, cause, start);
  }
}

async function readPart(
  path: string,
  bytes: Uint8Array,
  form: ImageForm,
  { window, reduction, range }: { window: Window; reduction: number; range: ImageRange | undefined },
): Promise<RgbImage> {
  try {
    return await decodeRgb(reduced(openImage(bytes, {}), form, reduction).extract(window), form, range);
  } catch (cause) {
    throw imageError("openImageFile", path, cause);
  }
}

/**
 * Reduces an image while it is decoded: libjpeg gives it at half of the factor, and libvips halves that by Lanczos' kernel. (sharp asks libjpeg
 * for no more, and so a reduction by 2 would be none.) Centres of pixels stay where they are.
 */
function reduced(image: Sharp, { size: [height, width] }: ImageForm, by: number): Sharp {
  return by === 1
    ? image
    : image.resize(width / by, height / by, { fit: "fill", kernel: "lanczos3", fastShrinkOnLoad: true });
}
