import { readFile } from "node:fs/promises";
import { DataError, messageOf } from "../data-error.ts";
import { exifOrientation } from "./orientation.ts";
import { decodePng, type PngImage } from "./png.ts";

/** A mask file as it lies on disk, before any label map. */
export interface RawMask {
  readonly height: number;
  readonly width: number;
  /** `palette`: the values are indices into {@link RawMask.palette}. `rgb`: the values are `r << 16 | g << 8 | b`. */
  readonly mode: "grey" | "palette" | "rgb";
  readonly bitDepth: number;
  /** One number a pixel, row-major. */
  readonly values: Uint8Array | Uint16Array | Uint32Array;
  /** Red, green, blue of each index. */
  readonly palette?: Uint8Array;
  /** EXIF orientation, 1 to 8. */
  readonly orientation: number;
}

/**
 * Read a mask's own numbers: grey values, palette indices (never the palette's colours) or RGB triples. An alpha channel is left out.
 *
 * @param options.channel - Read this channel of an RGB mask as grey values.
 * @throws {DataError} If the file is missing, no PNG, damaged, or RGB with 16 bits a channel.
 */
export async function readRawMask(path: string, options: { channel?: 0 | 1 | 2 } = {}): Promise<RawMask> {
  const bytes = await readBytes(path);
  try {
    return rawMask(decodePng(bytes), options.channel);
  } catch (cause) {
    throw new DataError(`readRawMask(): ${path} is ${messageOf(cause)}${otherFormat(bytes)}`, path, cause);
  }
}

/** A file's bytes. @throws {DataError} If it cannot be read. */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new DataError(`cannot read ${path}: ${messageOf(cause)}`, path, cause);
  }
}

function otherFormat(bytes: Uint8Array): string {
  if (bytes.length === 0) return "; the file is empty";
  if (bytes[0] === 0xff && bytes[1] === 0xd8)
    return ", but a JPEG: its compression alters label values. Export masks as PNG";
  return bytes[0] === 0x89 ? "; replace the file" : ". Convert masks to PNG";
}

function rawMask(png: PngImage, channel: 0 | 1 | 2 | undefined): RawMask {
  const { height, width, bitDepth } = png;
  const base = { height, width, bitDepth, orientation: exifOrientation(png.exif) };
  if (png.colorType === 3) return { ...base, mode: "palette", values: png.data, palette: png.palette! };
  if (png.channels === 1) return { ...base, mode: "grey", values: png.data };
  if (png.channels === 2) return { ...base, mode: "grey", values: oneChannel(png, 0) };
  if (channel !== undefined) return { ...base, mode: "grey", values: oneChannel(png, channel) };
  if (png.bitDepth === 16) throw new Error("an RGB PNG with 16 bits a channel, expected 8");
  return { ...base, mode: "rgb", values: packRgb(png) };
}

function oneChannel(png: PngImage, channel: number): Uint8Array | Uint16Array {
  const pixels = png.height * png.width;
  const out = png.bitDepth === 16 ? new Uint16Array(pixels) : new Uint8Array(pixels);
  for (let i = 0, o = channel; i < pixels; i++, o += png.channels) out[i] = png.data[o]!;
  return out;
}

function packRgb({ data, channels, height, width }: PngImage): Uint32Array {
  const out = new Uint32Array(height * width);
  for (let i = 0, o = 0; i < out.length; i++, o += channels)
    out[i] = (data[o]! << 16) | (data[o + 1]! << 8) | data[o + 2]!;
  return out;
}
