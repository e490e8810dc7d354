import sharp from "sharp";
import { type WriteOptions, writeNewFile } from "../../core/atomic-file.ts";
import type { RgbImage } from "../sample.ts";

/** Encodes an image as an RGB PNG, without loss. */
export async function encodeRgbPng(image: RgbImage): Promise<Uint8Array> {
  const { height, width, data } = image;
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 9, adaptiveFiltering: true, palette: false })
    .toBuffer();
}

/**
 * Writes an image as an RGB PNG, whole or not at all, making its folder if needed.
 *
 * @throws {Error} If the file exists and `overwrite` is not set, or it cannot be written.
 */
export async function writeRgbPng(path: string, image: RgbImage, options: WriteOptions = {}): Promise<void> {
  writeNewFile("writeRgbPng", path, await encodeRgbPng(image), options);
}
