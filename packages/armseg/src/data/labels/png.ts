import { promisify } from "node:util";
import { crc32, inflate, inflateSync } from "node:zlib";
import { unfilter } from "./png-filter.ts";
import { deinterlace } from "./png-interlace.ts";

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** Deflate cannot expand by more than this, so a header that promises more pixels is lying. */
const MAX_INFLATE_RATIO = 1032;
const CHANNELS = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 } as const;
const BIT_DEPTHS = { 0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16] } as const;

/** The largest image read unless told otherwise: 16383 by 16383 pixels, as in libvips. */
export const MAX_PIXELS = 0x3fff * 0x3fff;

/** The most bytes of pixels that are decompressed: a 16-bit grey PNG of {@link MAX_PIXELS}, an RGB one of 13,000 by 13,000. */
const MAX_DECODED_BYTES = 2 ** 29;

export interface DecodePngOptions {
  /** Refuse larger images. Default {@link MAX_PIXELS}. */
  readonly maxPixels?: number;
  /** Throws if an image with this header is of no use, before it is decompressed. */
  readonly accepts?: (header: PngHeader) => void;
}

/** PNG's own colour type numbers: 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGB with alpha. */
export type PngColorType = keyof typeof CHANNELS;

export interface PngHeader {
  readonly height: number;
  readonly width: number;
  readonly bitDepth: 1 | 2 | 4 | 8 | 16;
  readonly colorType: PngColorType;
  readonly channels: 1 | 2 | 3 | 4;
  readonly interlaced: boolean;
}

/** A decoded PNG whose samples are the numbers in the file: palette indices stay indices, 1-bit stays 0 and 1. */
export interface PngImage extends PngHeader {
  /** Row-major, interleaved channels; 16-bit files give a Uint16Array. */
  readonly data: Uint8Array | Uint16Array;
  /** Red, green, blue of each index, for colour type 3. */
  readonly palette?: Uint8Array;
  /** The tRNS chunk: alpha of each index for colour type 3, else the samples (16 bits each) of the one transparent colour. */
  readonly transparency?: Uint8Array;
  /** The eXIf chunk (a TIFF header and its directories), if there is one. */
  readonly exif?: Uint8Array;
}

/**
 * Decode a PNG without touching its sample values.
 *
 * General image libraries expand palettes and scale low bit depths to 0..255, which destroys label values. All colour types, bit depths, filters and
 * Adam7 interlacing of ISO/IEC 15948 are read; checksums are verified. Memory is bounded by the size of `bytes`, not by what its header claims.
 *
 * @throws If the bytes are not a complete, intact PNG. The message has no path: the caller knows it.
 */
export function decodePng(bytes: Uint8Array, options: DecodePngOptions = {}): PngImage {
  const parts = checkedChunks(bytes, options);
  return imageOf(parts, inflateWhole(parts));
}

/** Decodes a PNG as {@link decodePng} does, but decompresses it in the background, so that several are read at a time. */
export async function decodePngInBackground(
  bytes: Uint8Array,
  options: DecodePngOptions = {},
): Promise<PngImage> {
  const parts = checkedChunks(bytes, options);
  return imageOf(parts, await inflateInBackground(parts));
}

interface Chunks {
  header: PngHeader;
  data: Uint8Array;
  palette?: Uint8Array;
  transparency?: Uint8Array;
  exif?: Uint8Array;
}

function checkedChunks(bytes: Uint8Array, { maxPixels = MAX_PIXELS, accepts }: DecodePngOptions): Chunks {
  const parts = readChunks(bytes);
  const { header, palette } = parts;
  if (header.height * header.width > maxPixels)
    throw new Error(
      `a PNG of ${header.width}x${header.height} pixels exceeds the limit of ${maxPixels} pixels`,
    );
  accepts?.(header);
  if (header.colorType === 3 && !palette) throw new Error("a palette PNG without a palette (PLTE chunk)");
  return parts;
}

function imageOf({ header, data: _, ...rest }: Chunks, inflated: Uint8Array): PngImage {
  const { height, width, bitDepth, channels } = header;
  const data = header.interlaced
    ? deinterlace(header, inflated, decodeRows)
    : decodeRows(inflated, height, width, bitDepth, channels);
  return { ...header, data, ...rest };
}

function readChunks(bytes: Uint8Array): Chunks {
  if (SIGNATURE.some((value, i) => bytes[i] !== value)) throw new Error("not a PNG (wrong signature)");
  let header: PngHeader | undefined;
  const parts: Uint8Array[] = [];
  const found: Omit<Chunks, "header" | "data"> = {};
  for (const { type, body } of chunks(bytes)) {
    if (!header) {
      if (type !== "IHDR") throw new Error(`a PNG that starts with ${type} in place of IHDR`);
      header = readHeader(body);
    } else if (type === "IDAT") parts.push(body);
    else if (type === "PLTE") found.palette = checkPalette(body);
    else if (type === "tRNS") found.transparency = body;
    else if (type === "eXIf") found.exif = body;
    else if (isCritical(type) && type !== "IEND")
      throw new Error(`a PNG with an unknown critical chunk ${type}`);
  }
  if (!header || parts.length === 0) throw new Error("a PNG without image data");
  return { header, data: parts.length === 1 ? parts[0]! : Buffer.concat(parts), ...found };
}

/** A file may have so many chunks, and one more for every 512 bytes; encoders make them of kilobytes. */
const MOST_SMALL_CHUNKS = 10_000;

/**
 * The chunks of a PNG up to IEND, each with its checksum verified.
 *
 * @throws If the file is truncated or a checksum is wrong.
 */
export function* chunks(bytes: Uint8Array): Generator<{ type: string; body: Uint8Array }> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let left = MOST_SMALL_CHUNKS + bytes.length / 512;
  for (let at = SIGNATURE.length; ; left--) {
    if (left < 0) throw new Error("a PNG of so many small chunks that nobody wrote it to be read");
    if (at + 12 > bytes.length)
      throw new Error(`a truncated PNG: it ends after ${bytes.length} bytes without IEND`);
    const length = view.getUint32(at);
    const end = at + 8 + length;
    const type = chunkType(view.getUint32(at + 4));
    if (!type) throw new Error(`a damaged PNG: no chunk at byte ${at}`);
    if (end + 4 > bytes.length)
      throw new Error(
        `a truncated PNG: chunk ${type} wants ${length} bytes, ${bytes.length - at - 8} are left`,
      );
    if (crc32(bytes.subarray(at + 4, end)) !== view.getUint32(end))
      throw new Error(`a damaged PNG: the checksum of chunk ${type} at byte ${at} is wrong`);
    yield { type, body: bytes.subarray(at + 8, end) };
    if (type === "IEND") return;
    at = end + 4;
  }
}

/** What most chunks are: encoders write one for every few kilobytes of pixels. */
const IDAT = 0x49444154;

/** Returns the type of a chunk, four letters; undefined where they are none. */
function chunkType(code: number): string | undefined {
  if (code === IDAT) return "IDAT";
  const type = String.fromCharCode(code >>> 24, (code >> 16) & 255, (code >> 8) & 255, code & 255);
  return /^[A-Za-z]{4}$/.test(type) ? type : undefined;
}

function isCritical(type: string): boolean {
  return type.charCodeAt(0) < 0x60;
}

function checkPalette(body: Uint8Array): Uint8Array {
  if (body.length === 0 || body.length % 3 !== 0 || body.length > 768)
    throw new Error(`a PNG with a palette of ${body.length} bytes, expected 3 to 768 in threes`);
  return body;
}

function readHeader(body: Uint8Array): PngHeader {
  if (body.length !== 13) throw new Error(`a PNG header of ${body.length} bytes, expected 13`);
  const view = new DataView(body.buffer, body.byteOffset, 13);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [bitDepth, colorType, compression, filter, interlace] = body.subarray(8);
  if (width === 0 || height === 0) throw new Error(`a PNG of ${width}x${height} pixels`);
  if (!isColorType(colorType) || !(BIT_DEPTHS[colorType] as readonly number[]).includes(bitDepth!))
    throw new Error(
      `a PNG with colour type ${colorType} and bit depth ${bitDepth}, which do not exist together`,
    );
  if (compression !== 0 || filter !== 0 || interlace! > 1)
    throw new Error(
      `a PNG with unknown methods (compression ${compression}, filter ${filter}, interlace ${interlace})`,
    );
  const depth = bitDepth as PngHeader["bitDepth"];
  return {
    height,
    width,
    bitDepth: depth,
    colorType,
    channels: CHANNELS[colorType],
    interlaced: interlace === 1,
  };
}

function isColorType(value: number | undefined): value is PngColorType {
  return value !== undefined && value in CHANNELS;
}

function interlacedBytes(header: PngHeader): number {
  // Seven passes, each with its own filter bytes and row padding; twice the plain size is a safe bound.
  return 2 * header.height * (8 + rowBytes(header, header.width)) + 64;
}

function rowBytes({ bitDepth, channels }: PngHeader, width: number): number {
  return Math.ceil((width * bitDepth * channels) / 8);
}

const inflateAsync = promisify(inflate);

function inflateWhole(parts: Chunks): Uint8Array {
  const options = inflateOptions(parts);
  try {
    return inflateSync(parts.data, options);
  } catch (cause) {
    throw notInflated(cause);
  }
}

async function inflateInBackground(parts: Chunks): Promise<Uint8Array> {
  const options = inflateOptions(parts);
  try {
    return await inflateAsync(parts.data, options);
  } catch (cause) {
    throw notInflated(cause);
  }
}

/** One chunk of the whole size saves zlib from growing its output piece by piece. */
function inflateOptions({ header, data }: Chunks): { chunkSize: number; maxOutputLength: number } {
  const expected = header.interlaced
    ? interlacedBytes(header)
    : header.height * (1 + rowBytes(header, header.width));
  if (expected > MAX_DECODED_BYTES)
    throw new Error(
      `a PNG of ${header.width}x${header.height} pixels whose pixels take ${expected} bytes, more than ${MAX_DECODED_BYTES}`,
    );
  if (expected > (data.length + 64) * MAX_INFLATE_RATIO * 2)
    throw new Error(
      `a truncated PNG: ${data.length} compressed bytes cannot hold its ${expected} bytes of pixels`,
    );
  return { chunkSize: Math.max(64, expected), maxOutputLength: expected + 1024 };
}

function notInflated(cause: unknown): Error {
  return new Error(`a damaged PNG: its pixels do not decompress (${(cause as Error).message})`, { cause });
}

/** Undo the row filters, then unpack to one array element a sample. */
function decodeRows(
  raw: Uint8Array,
  height: number,
  width: number,
  bitDepth: number,
  channels: number,
): Uint8Array | Uint16Array {
  const bytesPerRow = Math.ceil((width * bitDepth * channels) / 8);
  if (raw.length < height * (1 + bytesPerRow))
    throw new Error(`a truncated PNG: ${raw.length} bytes of pixels, expected ${height * (1 + bytesPerRow)}`);
  const bytes = unfilter(raw, height, bytesPerRow, Math.max(1, (bitDepth * channels) >> 3));
  if (bitDepth === 8) return bytes;
  return bitDepth === 16 ? join16(bytes) : unpackBits(bytes, height, width * channels, bitDepth);
}

function join16(bytes: Uint8Array): Uint16Array {
  const out = new Uint16Array(bytes.length >> 1);
  for (let i = 0; i < out.length; i++) out[i] = (bytes[2 * i]! << 8) | bytes[2 * i + 1]!;
  return out;
}

function unpackBits(bytes: Uint8Array, height: number, rowSamples: number, bitDepth: number): Uint8Array {
  const out = new Uint8Array(height * rowSamples);
  const bytesPerRow = bytes.length / height;
  const mask = (1 << bitDepth) - 1;
  for (let y = 0, o = 0; y < height; y++)
    for (let x = 0, bit = y * bytesPerRow * 8; x < rowSamples; x++, bit += bitDepth)
      out[o++] = (bytes[bit >> 3]! >> (8 - bitDepth - (bit & 7))) & mask;
  return out;
}
