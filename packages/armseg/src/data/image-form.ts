import type { Metadata, Sharp } from "sharp";
import type { RgbImage, Sample } from "./sample.ts";

/** The sample values that become 0 and 255. */
export type ImageRange = readonly [low: number, high: number];

/** Returns samples whose images are read by a range of values, where one is given. */
export function withImageRange(samples: readonly Sample[], range: ImageRange | undefined): readonly Sample[] {
  return range ? samples.map((sample) => ({ ...sample, imageRange: range })) : samples;
}

/** How an image file has its pixels. */
export interface ImageForm {
  /** Of a sample, in libvips' words: `uchar` has 8 bits, `ushort` 16; `short`, `int`, `float` and others are not images as they are. */
  readonly depth: string;
  readonly bands: number;
  /** Of TIFFs, GIFs and WebPs, of which the first is read; else 1. */
  readonly pages: number;
  readonly fileType: string;
  /** EXIF orientation, 1 to 8. */
  readonly orientation: number;
  readonly space: Metadata["space"];
  /** `[height, width]`, upright. */
  readonly size: readonly [number, number];
}

const DEPTHS: Readonly<Record<string, string>> = {
  char: "signed 8-bit",
  short: "signed 16-bit",
  int: "signed 32-bit",
  uint: "unsigned 32-bit",
  float: "32-bit float",
  double: "64-bit float",
};
/** Colour spaces whose samples are grey or red, green and blue. */
const PLAIN_SPACES = ["b-w", "grey16", "srgb", "rgb", "rgb16", "scrgb", "multiband"];

/**
 * Returns the form of an opened image, from its header.
 *
 * @param range - What its samples are read by, if anything.
 * @param fileBytes - Size of the file, where it is known: a header may promise more than that can hold.
 * @throws {Error} If it would take more memory than its file is worth.
 * @throws {RangeError} If its samples need a range to be read by, or cannot have one; the message says what to do.
 */
export async function imageForm(image: Sharp, range?: ImageRange, fileBytes?: number): Promise<ImageForm> {
  const metadata = await image.metadata();
  const { depth, channels, pages = 1, format, orientation = 1, space, autoOrient } = metadata;
  refuseJpegBomb(metadata, fileBytes ?? Number.POSITIVE_INFINITY);
  if (!range && depth !== "uchar" && depth !== "ushort")
    throw new RangeError(
      `expected samples of 8 or 16 bits without sign, got ${DEPTHS[depth] ?? depth} ones, whose range nobody knows; set data.imageRange: [low, high] to the values that become black and white, or convert the images`,
    );
  if (range && depth !== "uchar" && !PLAIN_SPACES.includes(space))
    throw new RangeError(
      `expected grey or RGB for data.imageRange, got the colour space ${space}; convert the images`,
    );
  return {
    depth,
    bands: channels,
    pages,
    fileType: format,
    orientation,
    space,
    size: [autoOrient.height, autoOrient.width],
  };
}

/** A block of 8 by 8 pixels takes a bit at least. */
const MOST_PIXELS_PER_BYTE = 8 * 64;

/** libjpeg keeps all of a progressive JPEG's coefficients, 6 bytes a pixel. */
const MAX_PROGRESSIVE_PIXELS = 2 ** 27;

function refuseJpegBomb({ format, width, height, isProgressive }: Metadata, fileBytes: number): void {
  if (format !== "jpeg") return;
  const pixels = width * height;
  if (pixels > MOST_PIXELS_PER_BYTE * fileBytes)
    throw new Error(
      `its ${fileBytes} bytes cannot hold the ${width}x${height} pixels that it promises: is it truncated?`,
    );
  if (isProgressive && pixels > MAX_PROGRESSIVE_PIXELS)
    throw new RangeError(
      `expected a progressive JPEG of at most ${MAX_PROGRESSIVE_PIXELS} pixels, got ${width}x${height}; save it as a baseline JPEG`,
    );
}

/**
 * Returns the 8-bit RGB of an image whose samples have a range: low becomes 0, high 255, and what lies beyond is clipped.
 *
 * @param image - Opened, possibly with a part of it chosen.
 */
export async function decodeInRange(
  image: Sharp,
  { space }: ImageForm,
  [low, high]: ImageRange,
): Promise<RgbImage> {
  // In the space that it has, libvips converts nothing.
  const { data, info } = await image
    .removeAlpha()
    .toColourspace(space)
    .raw({ depth: "float" })
    .toBuffer({ resolveWithObject: true });
  const { height, width, channels } = info;
  const samples = new Float32Array(data.buffer, data.byteOffset, height * width * channels);
  const out = new Uint8Array(3 * height * width);
  for (let i = 0; i < height * width; i++)
    for (let c = 0; c < 3; c++) {
      const sample = samples[i * channels + (channels < 3 ? 0 : c)]!;
      const level = Math.round((255 * (sample - low)) / (high - low));
      // Not a number, a hole in measured data, is black.
      out[3 * i + c] = level > 0 ? Math.min(level, 255) : 0;
    }
  return { height, width, data: out };
}

/** Returns the smallest and the largest sample of a 16-bit image. */
export async function sampleRange(image: Sharp, { space }: ImageForm): Promise<ImageRange> {
  const { data } = await image
    .removeAlpha()
    .toColourspace(space)
    .raw({ depth: "ushort" })
    .toBuffer({ resolveWithObject: true });
  const samples = new Uint16Array(data.buffer, data.byteOffset, data.length >> 1);
  let [low, high] = [65535, 0];
  for (const sample of samples) {
    if (sample < low) low = sample;
    if (sample > high) high = sample;
  }
  return [low, high];
}
