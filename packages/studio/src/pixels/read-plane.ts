import { resolve } from "node:path";
import { readImage, readLabel } from "armseg/data";
import type { Plane } from "../api.ts";
import type { GivenFolders } from "../given-folders.ts";
import { RequestError } from "../http/answers.ts";
import type { LoadedSet, SetImage } from "./map-set.ts";

/** Every value as it is in the file. */
const AS_IT_IS = {
  encoding: "values",
  classes: Object.fromEntries(Array.from({ length: 256 }, (_, value) => [value, value])),
} as const;

/** Bytes of a picture, row-major: three a pixel of an image, one of a plane. */
export interface Pixels {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  readonly data: Uint8Array;
}

/** Returns an image of a set. @throws {RequestError} 404 if it has no such image. */
export function imageAt({ images, info }: LoadedSet, index: number): SetImage {
  const image = images[index];
  if (!image) throw new RequestError(404, `${info.id} has ${images.length} images, no image ${index}`);
  return image;
}

/**
 * Reads an image or one of its planes, value for value.
 *
 * @throws {RequestError} If the file is missing, lies outside of the folders given, or the image has no such plane.
 */
export async function readPixels(
  set: LoadedSet,
  image: SetImage,
  plane: Plane,
  folders: GivenFolders,
): Promise<Pixels> {
  if (plane === "image") {
    const path = folders.open(resolve(set.folder, image.imageFile));
    const options = image.imageRange ? { range: image.imageRange } : {};
    return { ...(await readImage(path, options)), channels: 3 };
  }
  const file = image.planes[plane];
  if (file === undefined) throw new RequestError(404, `${image.name} has no ${plane}`);
  const path = folders.openWithin(set.folder, file);
  return {
    ...(await readLabel({ kind: "mask", path, labelMap: AS_IT_IS }, image.size)),
    channels: 1,
  };
}

/** Width, height and channels as 32-bit numbers, least byte first, then the bytes. */
export function packPixels({ width, height, channels, data }: Pixels): Uint8Array {
  const packed = new Uint8Array(12 + data.length);
  const view = new DataView(packed.buffer);
  view.setUint32(0, width, true);
  view.setUint32(4, height, true);
  view.setUint32(8, channels, true);
  packed.set(data, 12);
  return packed;
}
