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
  /**
   * Decodes a part; a file's rows below it are not decompressed.
   *
   * @param window - In pixels of the upright image.
   * @throws {DataError} If the file is damaged; the message names it.
   */
  read(window: Window): Promise<RgbImage>;
}

const PNG_FIRST_BYTE = 0x89;

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
    return { size: form.size, read: (window) => readPart(path, bytes, form, window, range) };
  } catch (cause) {
    throw imageError("openImageFile", path, cause, start);
  }
}

async function readPart(
  path: string,
  bytes: Uint8Array,
  form: ImageForm,
  window: Window,
  range: ImageRange | undefined,
): Promise<RgbImage> {
  try {
    return await decodeRgb(openImage(bytes, {}).extract(window), form, range);
  } catch (cause) {
    throw imageError("openImageFile", path, cause);
  }
}
