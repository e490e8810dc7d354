import { realpathSync } from "node:fs";
import { listFiles, outside } from "./list-files.ts";
import { countOf, some } from "./pair-files.ts";

/** Names of image files of other types than those that are read. */
const OTHER_IMAGE =
  /\.(bmp|dib|heic|heif|avif|jp2|j2k|jxl|tga|psd|ppm|pgm|pbm|pnm|exr|hdr|dng|cr2|cr3|nef|arw|dcm|nii|nii\.gz|npy|svg|pdf)$/i;
/** The same for masks, of which PNGs alone are read. */
const OTHER_MASK =
  /\.(jpe?g|tiff?|gif|webp|bmp|dib|heic|heif|avif|jp2|j2k|jxl|tga|psd|ppm|pgm|pbm|pnm|exr|dcm|nii|nii\.gz|npy|npz|mat|svg|pdf)$/i;

/**
 * Returns a sentence for each folder of images and masks in which files lie that look like them, but are of types that are not read.
 *
 * @throws {DataError} If a folder cannot be listed.
 */
export async function unreadFiles(images: string, masks: string): Promise<string[]> {
  const otherImages = await listFiles(images, OTHER_IMAGE);
  // In one folder other types are images.
  const isOneFolder = realpathSync(images) === realpathSync(masks);
  const otherMasks = isOneFolder ? [] : (await listFiles(masks, OTHER_MASK)).filter(outside(masks, images));
  return [
    ...sentence(otherImages, "images are read as JPEG, PNG, WebP, TIFF and GIF: convert these"),
    ...sentence(otherMasks, "masks are read as PNG: convert these, without resizing or smoothing"),
  ];
}

function sentence(files: readonly string[], remedy: string): string[] {
  if (files.length === 0) return [];
  return [`${countOf(files.length, "file")} of types that are not read: ${some(files)}; ${remedy}`];
}
