import sharp, { type Sharp } from "sharp";
import { DataError, messageOf } from "./data-error.ts";
import { imageSource, isEmbedded } from "./image-source.ts";
import { MAX_PIXELS } from "./labels/png.ts";
import type { RgbImage } from "./sample.ts";

export interface ReadImageOptions {
  /** Refuse larger images. Default {@link MAX_PIXELS}. */
  readonly maxPixels?: number;
}

/**
 * Read a picture (JPEG, PNG, WebP, TIFF, GIF) as 8-bit RGB, turned upright by its EXIF orientation.
 *
 * Sample values are those of the file: colour profiles are not applied, alpha is dropped, 16-bit is reduced to 8-bit, grey is repeated.
 *
 * @param path - The picture, or a LabelMe file with the picture embedded.
 * @returns `[height, width, 3]`, interleaved.
 * @throws {DataError} If the file is missing, damaged, truncated, too large or no picture; the message names it.
 */
export async function readImage(path: string, options: ReadImageOptions = {}): Promise<RgbImage> {
  try {
    return await decodeRgb(openImage(await imageSource(path), options));
  } catch (cause) {
    throw imageError("readImage", path, cause);
  }
}

/**
 * The size of a picture, upright, from its header alone.
 *
 * @returns `[height, width]` in pixels.
 * @throws {DataError} If the header cannot be read.
 */
export async function imageSize(path: string): Promise<readonly [number, number]> {
  try {
    const { autoOrient } = await openImage(await imageSource(path), {}).metadata();
    return [autoOrient.height, autoOrient.width];
  } catch (cause) {
    throw imageError("imageSize", path, cause);
  }
}

/** The 8-bit RGB of an opened picture, or of the part of it that was chosen. */
export async function decodeRgb(picture: Sharp): Promise<RgbImage> {
  const { data, info } = await picture
    .removeAlpha()
    .toColourspace("srgb")
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw new Error(`${info.channels} channels after conversion to RGB`);
  return { height: info.height, width: info.width, data };
}

/** A picture to be decoded, from its file or the file's bytes, as {@link readImage} decodes it. */
export function openImage(source: string | Uint8Array, options: ReadImageOptions): Sharp {
  return sharp(source, {
    autoOrient: true,
    failOn: "error",
    ignoreIcc: true,
    limitInputPixels: options.maxPixels ?? MAX_PIXELS,
  });
}

/** What went wrong with a picture, as a {@link DataError} that names it. */
export function imageError(what: string, path: string, cause: unknown): DataError {
  const reason = messageOf(cause)
    .replace(/\s+/g, " ")
    .replace(/[\s:]+$/, "");
  const place = isEmbedded(path) ? `the picture in imageData of ${path}` : path;
  return new DataError(
    `${what}(): cannot read ${place}: ${reason}; replace the file or leave it out`,
    path,
    cause,
  );
}
