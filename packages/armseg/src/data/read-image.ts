import { closeSync, openSync, readSync } from "node:fs";
import sharp, { type Sharp } from "sharp";
import { readRegularFile, requireRegularFile } from "../core/regular-file.ts";
import { DataError, messageOf } from "./data-error.ts";
import { kindOfBytes } from "./file-kind.ts";
import { decodeInRange, type ImageForm, type ImageRange, imageForm } from "./image-form.ts";
import { imageSource, isEmbedded } from "./image-source.ts";
import { MAX_PIXELS } from "./labels/png.ts";
import type { RgbImage } from "./sample.ts";

export interface ReadImageOptions {
  /** Refuse larger images. Default {@link MAX_PIXELS}. */
  readonly maxPixels?: number;
  /** Spreads these values of 16-bit, float and signed images over 0 to 255; 8-bit images are read as they are. */
  readonly range?: ImageRange | undefined;
}

/**
 * Reads an image (JPEG, PNG, WebP, TIFF, GIF) as 8-bit RGB, turned upright by its EXIF orientation.
 *
 * Sample values are those of the file: colour profiles are not applied, alpha is dropped, grey is repeated. Of 16 bits the
 * upper 8 are read, unless a range is given; float and signed values need one.
 *
 * @param path - The image, or a LabelMe file with the image embedded.
 * @returns `[height, width, 3]`, interleaved.
 * @throws {DataError} If the file is missing, damaged, truncated, too large or no image, or needs a range; the message names it.
 */
export async function readImage(path: string, options: ReadImageOptions = {}): Promise<RgbImage> {
  return (await readImageAndForm(path, options)).image;
}

/** Reads an image as {@link readImage} does, and how its file has it. */
export async function readImageAndForm(
  path: string,
  options: ReadImageOptions = {},
): Promise<{ image: RgbImage; form: ImageForm }> {
  try {
    const source = await imageSource(path);
    const bytes = typeof source === "string" ? await readRegularFile(source) : source;
    const opened = openImage(bytes, options);
    const form = await imageForm(opened, options.range, bytes.length);
    return { image: await decodeRgb(opened, form, options.range), form };
  } catch (cause) {
    throw namedError("readImage", path, cause);
  }
}

/**
 * Returns the size of an image, upright, from its header alone.
 *
 * @returns `[height, width]` in pixels.
 * @throws {DataError} If the header cannot be read.
 */
export async function imageSize(path: string): Promise<readonly [number, number]> {
  try {
    const { autoOrient } = await openImage(await imageSource(path), {}).metadata();
    return [autoOrient.height, autoOrient.width];
  } catch (cause) {
    throw namedError("imageSize", path, cause);
  }
}

/**
 * Returns the 8-bit RGB of an opened image, or of the part of it that was chosen.
 *
 * @param form - Of the whole image, see {@link imageForm}.
 */
export async function decodeRgb(image: Sharp, form: ImageForm, range?: ImageRange): Promise<RgbImage> {
  if (range && form.depth !== "uchar") return decodeInRange(image, form, range);
  const { data, info } = await image
    .removeAlpha()
    .toColourspace("srgb")
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw new Error(`${info.channels} channels after conversion to RGB`);
  return { height: info.height, width: info.width, data };
}

/**
 * Returns an image to be decoded, from its file or the file's bytes, as {@link readImage} decodes it.
 *
 * What libjpeg warns of is damage: pixels after it are grey or wrong. Other decoders warn of harmless things, and fail on damage.
 */
export function openImage(source: string | Uint8Array, options: ReadImageOptions): Sharp {
  return sharp(source, {
    autoOrient: true,
    failOn: isJpeg(source) ? "warning" : "error",
    ignoreIcc: true,
    limitInputPixels: options.maxPixels ?? MAX_PIXELS,
  });
}

function isJpeg(source: string | Uint8Array): boolean {
  const [first, second] = typeof source === "string" ? readStart(source, 2) : source;
  return first === 0xff && second === 0xd8;
}

/** {@link imageError} of a file, which is looked into for what it is in truth. */
function namedError(what: string, path: string, cause: unknown): DataError {
  const bytes = isEmbedded(path) ? new Uint8Array(0) : readStart(path, 256);
  return imageError(what, path, cause, bytes.length > 0 ? bytes : undefined);
}

/** A file's first bytes; none where it cannot be read. */
function readStart(path: string, count: number): Uint8Array {
  try {
    requireRegularFile(path);
    const descriptor = openSync(path, "r");
    try {
      const buffer = new Uint8Array(count);
      return buffer.subarray(0, readSync(descriptor, buffer, 0, count, 0));
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return new Uint8Array(0);
  }
}

/**
 * Returns what went wrong with an image, as a {@link DataError} that names it.
 *
 * @param bytes - The file's first, where they are at hand: files are often not what their name says.
 */
export function imageError(what: string, path: string, cause: unknown, bytes?: Uint8Array): DataError {
  const reason = messageOf(cause)
    .replace(/\s+/g, " ")
    .replace(/[\s:]+$/, "");
  const place = isEmbedded(path) ? `the image in imageData of ${path}` : path;
  const kind = bytes && kindOfBytes(bytes);
  const isOther = kind !== undefined && !READ.includes(kind);
  const text = isOther ? `it is ${kind}, expected ${READ.join(", ")}; convert it` : reason;
  const remedy = isOther || cause instanceof RangeError ? "" : "; replace the file or leave it out";
  return new DataError(`${what}(): cannot read ${place}: ${text}${remedy}`, path, cause);
}

const READ = ["a JPEG", "a PNG", "a WebP", "a TIFF", "a GIF"];
