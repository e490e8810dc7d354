import { readRegularFile } from "../../core/regular-file.ts";
import { DataError, messageOf } from "../data-error.ts";
import { kindOfBytes } from "../file-kind.ts";
import { exifOrientation } from "./orientation.ts";
import { decodePng, decodePngInBackground, type PngHeader, type PngImage } from "./png.ts";
import { transparentPixels } from "./transparency.ts";

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
  /** 1 where a pixel's alpha is 0, else 0; absent where no pixel's is. */
  readonly transparent?: Uint8Array;
}

export interface RawMaskOptions {
  /** Reads this channel of an RGB mask as grey values. */
  readonly channel?: 0 | 1 | 2;
  /** Decompresses in the background, for reading several masks at a time in one thread. Default false. */
  readonly inBackground?: boolean;
}

/**
 * Reads a mask's own numbers: grey values, palette indices (never the palette's colours) or RGB triples. Of an alpha channel
 * it is only kept where it is 0.
 *
 * @throws {DataError} If the file is missing, no PNG, damaged, or RGB with 16 bits per channel.
 */
export async function readRawMask(path: string, options: RawMaskOptions = {}): Promise<RawMask> {
  const bytes = await readBytes(path);
  try {
    const limits = { accepts: (header: PngHeader) => refuseDeepColor(header, options.channel) };
    const png = options.inBackground ? await decodePngInBackground(bytes, limits) : decodePng(bytes, limits);
    return rawMask(png, options.channel);
  } catch (cause) {
    throw new DataError(`readRawMask(): ${path} is ${messageOf(cause)}${otherFormat(bytes)}`, path, cause);
  }
}

/** A file's bytes. @throws {DataError} If it cannot be read. */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readRegularFile(path);
  } catch (cause) {
    throw new DataError(`cannot read ${path}: ${messageOf(cause)}`, path, cause);
  }
}

function otherFormat(bytes: Uint8Array): string {
  if (bytes.length === 0) return "; the file is empty";
  const kind = kindOfBytes(bytes);
  if (kind === "a PNG") return "; replace the file";
  if (kind === "a JPEG") return ", but a JPEG: its compression alters label values. Export masks as PNG";
  return `${kind ? `, but ${kind}` : ""}. Convert masks to PNG, without resizing or smoothing`;
}

function rawMask(png: PngImage, channel: 0 | 1 | 2 | undefined): RawMask {
  const { height, width, bitDepth } = png;
  const transparent = transparentPixels(png);
  const orientation = exifOrientation(png.exif);
  const base = { height, width, bitDepth, orientation, ...(transparent && { transparent }) };
  if (png.colorType === 3) return { ...base, mode: "palette", values: png.data, palette: png.palette! };
  if (png.channels === 1) return { ...base, mode: "grey", values: png.data };
  if (png.channels === 2) return { ...base, mode: "grey", values: oneChannel(png, 0) };
  if (channel !== undefined) return { ...base, mode: "grey", values: oneChannel(png, channel) };
  return { ...base, mode: "rgb", values: packRgb(png) };
}

/** Before anything is decompressed: such a file of two megabytes may hold two gigabytes. */
function refuseDeepColor({ bitDepth, channels }: PngHeader, channel: 0 | 1 | 2 | undefined): void {
  if (channels >= 3 && bitDepth === 16 && channel === undefined)
    throw new Error("an RGB PNG with 16 bits per channel, expected 8");
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
