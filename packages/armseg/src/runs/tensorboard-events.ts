import { maskedCrc32c } from "./crc32c.ts";
import { bytesField, doubleField, floatField, packedDoublesField, varintField } from "./protobuf.ts";

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

/** The event that opens every file: the version of the format. */
export function fileVersionEvent(wallTime: number): Buffer {
  return event(wallTime, 0, bytesField(3, "brain.Event:2"));
}

/** Tells TensorBoard to forget what earlier files say of `firstIteration` and later ones: the run was resumed. */
export function sessionStartEvent(wallTime: number, firstIteration: number): Buffer {
  const START = 1;
  return event(wallTime, firstIteration, bytesField(7, varintField(1, START)));
}

/**
 * Values of one iteration.
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
  if (!isPng || png.length < 24) throw new Error("summaryEvent(): an image must be a PNG file's bytes.");
  const view = new DataView(png.buffer, png.byteOffset);
  return { width: view.getUint32(16), height: view.getUint32(20) };
}

/** Moments are those of the bins' centres: the values themselves are not kept. */
function histogram({ edges, counts }: Histogram): Buffer {
  if (edges.length !== counts.length + 1) {
    throw new Error(
      `summaryEvent(): a histogram needs one edge more than counts, got ${edges.length} and ${counts.length}.`,
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

function crc(bytes: Uint8Array): Buffer {
  const masked = Buffer.alloc(4);
  masked.writeUInt32LE(maskedCrc32c(bytes));
  return masked;
}
