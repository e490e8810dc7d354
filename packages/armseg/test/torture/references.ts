/**
 * Plain decoders of the formats that have one, by other people or another way, to hold against what a reader accepted. Each returns how the two
 * differ, or `null`. They are slow, and take bytes that a reader has accepted: where one of them throws, that is a difference too.
 */
import { crc32 } from "node:zlib";
import type { Tensor } from "@armseg/torch";
import sharp from "sharp";
import { decodePng } from "../../src/data/labels/png.ts";
import type { LabelImage, RgbImage } from "../../src/data/sample.ts";

/** Our samples of a PNG beside those of libspng (in sharp), which are brought back to the numbers of the file. */
export async function pngDifference(bytes: Buffer): Promise<string | null> {
  const { bitDepth, colorType, data } = decodePng(bytes);
  const isWide = bitDepth === 16;
  const space =
    `${[0, 4].includes(colorType) ? (isWide ? "grey16" : "b-w") : isWide ? "rgb16" : "srgb"}` as const;
  const image = sharp(withGreyPalette(bytes), { limitInputPixels: false }).toColourspace(space);
  const indices = colorType === 3 ? image.extractChannel(0) : image;
  const raw = Uint8Array.from(await indices.raw({ depth: isWide ? "ushort" : "uchar" }).toBuffer());
  const theirs = isWide ? new Uint16Array(raw.buffer) : raw;
  const scale = colorType === 0 && !isWide ? 255 / (2 ** bitDepth - 1) : 1;
  return firstDifference(data, theirs, (ours) => ours * scale);
}

/** A PNG with nothing but its samples, whose palette says the index: libspng gives colours only. */
function withGreyPalette(bytes: Buffer): Buffer {
  const ramp = Buffer.from(Array.from({ length: 768 }, (_, i) => Math.floor(i / 3)));
  const parts: Buffer[] = [bytes.subarray(0, 8)];
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const type = bytes.toString("latin1", at + 4, at + 8);
    const bitDepth = bytes[24] as number;
    if (type === "PLTE") parts.push(chunk("PLTE", ramp.subarray(0, 3 * Math.min(256, 2 ** bitDepth))));
    else if (["IHDR", "IDAT", "IEND"].includes(type)) parts.push(bytes.subarray(at, at + 12 + length));
    at += 12 + length;
  }
  return Buffer.concat(parts);
}

function chunk(type: string, body: Buffer): Buffer {
  const out = Buffer.alloc(12 + body.length);
  out.writeUInt32BE(body.length, 0);
  out.write(type, 4, "latin1");
  body.copy(out, 8);
  out.writeUInt32BE(crc32(out.subarray(4, 8 + body.length)), 8 + body.length);
  return out;
}

/** A window of an image beside the same part of the whole. */
export function windowDifference(whole: RgbImage, window: RgbImage): string | null {
  const rowBytes = 3 * window.width;
  for (let y = 0; y < window.height; y++) {
    const row = window.data.subarray(y * rowBytes, (y + 1) * rowBytes);
    const difference = firstDifference(row, whole.data.subarray(3 * y * whole.width).subarray(0, rowBytes));
    if (difference) return `row ${y} of a window: ${difference}`;
  }
  return null;
}

/** An NPY file read as NumPy does: the header is a literal of Python. */
export function npyDifference(bytes: Buffer, ours: ArrayLike<number>): string | null {
  const isFirst = bytes[6] === 1;
  const start = isFirst ? 10 : 12;
  const end = start + (isFirst ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8));
  const literal = bytes.toString("latin1", start, end);
  const json = literal
    .replace(/'/g, '"')
    .replace(/\(/g, "[")
    .replace(/\)/g, "]")
    .replace(/,\s*([\]}])/g, "$1")
    .replace(/\bTrue\b/g, "true")
    .replace(/\bFalse\b/g, "false");
  const { descr, fortran_order: isFortran, shape } = JSON.parse(json) as Record<string, unknown>;
  if (isFortran !== false) return `fortran_order is ${isFortran}`;
  const count = (shape as number[]).reduce((product, side) => product * side, 1);
  const read = {
    "|u1": (i: number) => bytes.readUInt8(end + i) / 255,
    "<u1": (i: number) => bytes.readUInt8(end + i) / 255,
    "<f4": (i: number) => bytes.readFloatLE(end + 4 * i),
    "<f8": (i: number) => bytes.readDoubleLE(end + 8 * i),
  }[descr as string];
  if (!read) return `its type is ${descr}`;
  return firstDifference(
    ours,
    Array.from({ length: count }, (_, i) => Math.fround(read(i))),
  );
}

type SafetensorsHeader = Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;

const SAFETENSORS_NUMBERS: Readonly<
  Record<string, readonly [bytes: number, (data: DataView, at: number) => number]>
> = {
  BOOL: [1, (data, at) => data.getUint8(at)],
  U8: [1, (data, at) => data.getUint8(at)],
  I8: [1, (data, at) => data.getInt8(at)],
  I16: [2, (data, at) => data.getInt16(at, true)],
  I32: [4, (data, at) => data.getInt32(at, true)],
  I64: [8, (data, at) => Number(data.getBigInt64(at, true))],
  F16: [2, (data, at) => half(data.getUint16(at, true))],
  BF16: [2, (data, at) => bfloat16(data.getUint16(at, true))],
  F32: [4, (data, at) => data.getFloat32(at, true)],
  F64: [8, (data, at) => data.getFloat64(at, true)],
};

function half(bits: number): number {
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
}

function bfloat16(bits: number): number {
  const data = new DataView(new ArrayBuffer(4));
  data.setUint16(0, bits);
  return data.getFloat32(0);
}

/** A safetensors file read number by number. */
export function safetensorsDifference(bytes: Buffer, ours: ReadonlyMap<string, Tensor>): string | null {
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const { __metadata__: _, ...header } = JSON.parse(bytes.toString("utf8", 8, start)) as SafetensorsHeader;
  const names = Object.keys(header);
  if (names.length !== ours.size) return `${ours.size} tensors, expected ${names.length}`;
  const data = new DataView(bytes.buffer, bytes.byteOffset + start, bytes.length - start);
  for (const name of names) {
    const {
      dtype,
      shape,
      data_offsets: [from, to],
    } = header[name]!;
    const tensor = ours.get(name);
    const [size, read] = SAFETENSORS_NUMBERS[dtype] ?? [];
    if (!tensor || !size || !read) return `${name} of type ${dtype} is not expected`;
    if (String(tensor.shape) !== String(shape)) return `${name}: shape ${tensor.shape}, expected ${shape}`;
    const theirs = Array.from({ length: (to - from) / size }, (_, i) => read(data, from + size * i));
    const difference = firstDifference(
      tensor.to("float64").reshape([-1]).toTypedArray() as Float64Array,
      theirs,
    );
    if (difference) return `${name}: ${difference}`;
  }
  return null;
}

interface CocoRuns {
  readonly annotations: readonly { segmentation: { counts: string | number[] } }[];
}

/** The one run-length mask of a COCO file, pixel by pixel: column by column, background first. `null` too where there is none, or more. */
export function runLengthDifference(text: string, label: LabelImage, background: number): string | null {
  const { annotations } = JSON.parse(text) as CocoRuns;
  const counts = annotations[0]?.segmentation?.counts;
  if (annotations.length !== 1 || !counts) return null;
  const runs = typeof counts === "string" ? decompressed(counts) : counts;
  const columns = runs.flatMap((run, i) => new Array<number>(run).fill(i % 2));
  const isPainted = Array.from(label.data, (value) => (value === background ? 0 : 1));
  const rows = isPainted.map(
    (_, i) => columns[(i % label.width) * label.height + Math.floor(i / label.width)] as number,
  );
  return rows.includes(1) ? firstDifference(isPainted, rows) : null;
}

/** `rleFrString` of COCO's maskApi.c, with its 32-bit arithmetic. */
function decompressed(text: string): number[] {
  const counts: number[] = [];
  for (let at = 0; at < text.length; ) {
    let [value, shift, hasMore] = [0, 0, true];
    while (hasMore) {
      const character = text.charCodeAt(at++) - 48;
      value |= (character & 0x1f) << shift;
      hasMore = (character & 0x20) !== 0;
      shift += 5;
      if (!hasMore && character & 0x10) value |= -1 << shift;
    }
    if (counts.length > 2) value += counts.at(-2)!;
    counts.push(value);
  }
  return counts;
}

function firstDifference(
  ours: ArrayLike<number>,
  theirs: ArrayLike<number>,
  change = (value: number) => value,
): string | null {
  if (ours.length !== theirs.length) return `${ours.length} numbers, expected ${theirs.length}`;
  for (let i = 0; i < ours.length; i++) {
    const value = change(ours[i]!);
    if (!Object.is(value, theirs[i]) && value !== theirs[i])
      return `number ${i} is ${value}, expected ${theirs[i]}`;
  }
  return null;
}
