import { argumentError } from "../core/argument-error.ts";

/** One value of a summary; field numbers in this file are those of TensorFlow's `event.proto` and `summary.proto`. */
export type SummaryValue =
  | { readonly tag: string; readonly scalar: number }
  /** A PNG file's bytes. */
  | { readonly tag: string; readonly png: Uint8Array }
  | { readonly tag: string; readonly histogram: Histogram };

/** A histogram of `counts[i]` values in the i-th of the bins that `edges` (one more than counts) bound. */
export interface Histogram {
  readonly edges: readonly number[];
  readonly counts: readonly number[];
}

/** Returns the event that opens every file: the version of the format. */
export function fileVersionEvent(wallTime: number): Buffer {
  return event(wallTime, 0, bytesField(3, "brain.Event:2"));
}

/** Tells TensorBoard to forget what earlier files say of `firstIteration` and later ones: the run was resumed. */
export function sessionStartEvent(wallTime: number, firstIteration: number): Buffer {
  const START = 1;
  return event(wallTime, firstIteration, bytesField(7, varintField(1, START)));
}

/**
 * Returns the event with the values of one iteration.
 *
 * @param wallTime - Seconds since 1970.
 */
export function summaryEvent(wallTime: number, iteration: number, values: readonly SummaryValue[]): Buffer {
  const summary = Buffer.concat(values.map((value) => bytesField(1, summaryValue(value))));
  return event(wallTime, iteration, bytesField(5, summary));
}

/** Frames a message as a TFRecord: length (uint64), its masked CRC, message, its masked CRC; little-endian. */
export function tfRecord(message: Uint8Array): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(message.length));
  return Buffer.concat([length, crc(length), message, crc(message)]);
}

function event(wallTime: number, step: number, what: Buffer): Buffer {
  return Buffer.concat([doubleField(1, wallTime), ...(step === 0 ? [] : [varintField(2, step)]), what]);
}

function summaryValue(value: SummaryValue): Buffer {
  const tag = bytesField(1, value.tag);
  if ("scalar" in value) return Buffer.concat([tag, floatField(2, value.scalar)]);
  if ("png" in value) return Buffer.concat([tag, bytesField(4, image(value.png))]);
  return Buffer.concat([tag, bytesField(5, histogram(value.histogram))]);
}

function image(png: Uint8Array): Buffer {
  const RGB = 3;
  const { height, width } = pngSize(png);
  return Buffer.concat([
    varintField(1, height),
    varintField(2, width),
    varintField(3, RGB),
    bytesField(4, png),
  ]);
}

/** Size of a PNG, from its first chunk. */
function pngSize(png: Uint8Array): { height: number; width: number } {
  const isPng = Buffer.from(png.subarray(0, 8)).toString("latin1") === "\x89PNG\r\n\x1a\n";
  if (!isPng || png.length < 24)
    throw argumentError("summaryEvent", "the bytes of a PNG file", "other bytes");
  const view = new DataView(png.buffer, png.byteOffset);
  return { width: view.getUint32(16), height: view.getUint32(20) };
}

/** Moments are those of the bins' centres: the values themselves are not kept. */
function histogram({ edges, counts }: Histogram): Buffer {
  if (edges.length !== counts.length + 1) {
    throw argumentError(
      "summaryEvent",
      `${counts.length + 1} edges for ${counts.length} counts`,
      edges.length,
    );
  }
  const centres = counts.map((_, i) => (edges[i]! + edges[i + 1]!) / 2);
  const moment = (power: number) => counts.reduce((sum, count, i) => sum + count * centres[i]! ** power, 0);
  // TensorBoard takes the left edge of the first bucket from min, or from an empty bucket before it.
  return Buffer.concat([
    ...[edges[0]!, edges.at(-1)!, moment(0), moment(1), moment(2)].flatMap((value, i) =>
      value === 0 ? [] : [doubleField(i + 1, value)],
    ),
    packedDoublesField(6, edges),
    packedDoublesField(7, [0, ...counts]),
  ]);
}

/** Remainders of all bytes for the Castagnoli polynomial 0x1EDC6F41, bits reversed. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++)
    remainder = remainder & 1 ? (remainder >>> 1) ^ 0x82f63b78 : remainder >>> 1;
  return remainder;
});

/** Returns the CRC-32C (Castagnoli, RFC 3720 appendix B.4) of the bytes, as an unsigned 32-bit integer. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = TABLE[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** Returns the masked form that TFRecord files store: rotated right by 15 bits, plus a constant. */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

function crc(bytes: Uint8Array): Buffer {
  const masked = Buffer.alloc(4);
  masked.writeUInt32LE(maskedCrc32c(bytes));
  return masked;
}

/*
 * The few pieces of the protobuf wire format that the events need; each function returns one field, key included.
 * (https://protobuf.dev/programming-guides/encoding/)
 */
const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;

/** The value is an unsigned integer below 2^53. */
function varintField(field: number, value: number): Buffer {
  return Buffer.from([...varint(field * 8 + VARINT), ...varint(value)]);
}

function doubleField(field: number, value: number): Buffer {
  return Buffer.concat([key(field, FIXED64), doubles([value])]);
}

function floatField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([key(field, FIXED32), bytes]);
}

/** The value is bytes, text (written as UTF-8), or an embedded message. */
function bytesField(field: number, value: Uint8Array | string): Buffer {
  const bytes = typeof value === "string" ? Buffer.from(value, "utf8") : value;
  return Buffer.concat([key(field, LENGTH), Buffer.from(varint(bytes.length)), bytes]);
}

/** The field is a packed `repeated double`. */
function packedDoublesField(field: number, values: readonly number[]): Buffer {
  return bytesField(field, doubles(values));
}

function key(field: number, wireType: number): Buffer {
  return Buffer.from(varint(field * 8 + wireType));
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  // Division instead of shifts: iterations and sizes may pass 2^31.
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
  return bytes;
}

function doubles(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(8 * values.length);
  values.forEach((value, i) => {
    bytes.writeDoubleLE(value, 8 * i);
  });
  return bytes;
}
