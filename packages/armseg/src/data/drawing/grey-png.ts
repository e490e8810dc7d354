import sharp from "sharp";
import { type WriteOptions, writeNewFile } from "../../core/atomic-file.ts";

/** One byte a pixel, row-major. */
export interface GreyImage {
  readonly height: number;
  readonly width: number;
  readonly data: Uint8Array;
}

/** Writes an image as an 8-bit grey PNG, whole or not at all, making its folder if needed. @throws {Error} As {@link writeNewFile}. */
export async function writeGreyPng(
  path: string,
  { height, width, data }: GreyImage,
  options: WriteOptions = {},
): Promise<void> {
  const encoded = await sharp(data, { raw: { width, height, channels: 1 } })
    .toColourspace("b-w")
    .png({ compressionLevel: 6, adaptiveFiltering: true, palette: false })
    .toBuffer();
  writeNewFile("writeGreyPng", path, encoded, options);
}
