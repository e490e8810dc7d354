import sharp from "sharp";
import { type WriteOptions, writeNewFile } from "../../core/atomic-file.ts";

/** One byte a pixel, row-major. */
export interface GreyImage {
  readonly height: number;
  readonly width: number;
  readonly data: Uint8Array;
}

/** Encodes an image as an 8-bit grey PNG, in the background. */
export function encodeGreyPng({ height, width, data }: GreyImage): Promise<Uint8Array> {
  return sharp(data, { raw: { width, height, channels: 1 } })
    .toColourspace("b-w")
    .png({ compressionLevel: 6, adaptiveFiltering: true, palette: false })
    .toBuffer();
}

/** Writes an image as an 8-bit grey PNG, whole or not at all, making its folder if needed. @throws {Error} As {@link writeNewFile}. */
export async function writeGreyPng(
  path: string,
  image: GreyImage,
  options: WriteOptions = {},
): Promise<void> {
  writeNewFile("writeGreyPng", path, await encodeGreyPng(image), options);
}
