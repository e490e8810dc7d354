import * as z from "zod";
import { requireRegularFile } from "../core/regular-file.ts";
import { DataError } from "./data-error.ts";
import { readJson } from "./formats/json-file.ts";

const withPicture = z.object({ imageData: z.string().nullish() });

/** Whether a sample's image path leads to a LabelMe file that carries the picture itself. */
export function isEmbedded(path: string): boolean {
  return /\.json$/i.test(path);
}

/**
 * What to decode a sample's picture from: its file or, for the path of a LabelMe file, the bytes of the picture embedded
 * in that (base64 in `imageData`).
 *
 * @throws {Error} If there is no such file, or it is a pipe or device.
 * @throws {DataError} If the LabelMe file cannot be read or has no picture in it.
 */
export async function imageSource(path: string): Promise<string | Uint8Array> {
  if (!isEmbedded(path)) {
    requireRegularFile(path);
    return path;
  }
  const { imageData } = await readJson(path, withPicture);
  if (!imageData)
    throw new DataError(`expected a picture in imageData, got none; save ${path} with its image data`, path);
  return Buffer.from(imageData, "base64");
}
