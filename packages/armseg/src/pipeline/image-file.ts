import { readFile } from "node:fs/promises";
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
 * @throws {DataError} If the file is missing, damaged, truncated or no image; the message names it.
 */
export async function openImageFile(path: string): Promise<ImageFile> {
  try {
    const source = await imageSource(path);
    const bytes = typeof source === "string" ? await readFile(source) : source;
    // Walking over the chunks verifies each.
    if (bytes[0] === PNG_FIRST_BYTE) for (const _ of chunks(bytes));
    const { autoOrient } = await openImage(bytes, {}).metadata();
    return { size: [autoOrient.height, autoOrient.width], read: (window) => readPart(path, bytes, window) };
  } catch (cause) {
    throw imageError("openImageFile", path, cause);
  }
}

async function readPart(path: string, bytes: Uint8Array, window: Window): Promise<RgbImage> {
  try {
    return await decodeRgb(openImage(bytes, {}).extract(window));
  } catch (cause) {
    throw imageError("openImageFile", path, cause);
  }
}
