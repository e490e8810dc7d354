import sharp from "sharp";
import type { ClassColor } from "../api.ts";
import type { GivenFolders } from "../given-folders.ts";
import type { LoadedSet, SetImage } from "./map-set.ts";
import { type Pixels, readPixels } from "./read-plane.ts";

const WIDTH = 288;
const OPACITY = 0.55;

/** Draws an image with the colours of its prediction over it, small; without the image the colours alone. */
export async function thumbnail(set: LoadedSet, image: SetImage, folders: GivenFolders): Promise<Uint8Array> {
  const prediction = image.planes.prediction ? await readPixels(set, image, "prediction", folders) : null;
  const picture = await readPixels(set, image, "image", folders).catch(() => null);
  if (!picture && !prediction)
    return await readPixels(set, image, "image", folders).then(() => new Uint8Array());
  const { height, width } = (picture ?? prediction)!;
  const size = { width: WIDTH, height: Math.max(1, Math.round((WIDTH * height) / width)) };
  const base = picture
    ? await resized(picture, size, "cubic")
    : new Uint8Array(3 * size.width * size.height).fill(64);
  if (prediction) blend_(base, await resized(prediction, size, "nearest"), set.info.classes);
  return await sharp(base, { raw: { ...size, channels: 3 } })
    .webp({ quality: 82 })
    .toBuffer();
}

async function resized(
  { height, width, channels, data }: Pixels,
  size: { readonly width: number; readonly height: number },
  kernel: "nearest" | "cubic",
): Promise<Uint8Array> {
  const image = sharp(data, { raw: { height, width, channels } }).resize({ ...size, fit: "fill", kernel });
  return await (channels === 1 ? image.toColourspace("b-w") : image).raw().toBuffer();
}

function blend_(base: Uint8Array, indices: Uint8Array, classes: readonly ClassColor[]): void {
  for (let i = 0; i < indices.length; i++) {
    const color = classes[indices[i]!]?.color;
    if (!color) continue;
    for (let c = 0; c < 3; c++)
      base[3 * i + c] = Math.round((1 - OPACITY) * base[3 * i + c]! + OPACITY * color[c]!);
  }
}
