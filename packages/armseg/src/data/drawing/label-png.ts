import { promisify } from "node:util";
import { crc32, deflate, deflateSync } from "node:zlib";
import { argumentError } from "../../core/argument-error.ts";
import { type WriteOptions, writeNewFile } from "../../core/atomic-file.ts";
import { IGNORE_INDEX } from "../../core/ignore-index.ts";
import type { ClassInfo, LabelImage } from "../sample.ts";

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

/**
 * Encodes labels as an indexed 8-bit PNG: the pixel values are the class indices, the palette their colours.
 *
 * Ignored pixels keep the index 255, shown black. (Image libraries build palettes of their own, which would renumber
 * the classes.)
 *
 * @throws {RangeError} If a label is neither a class nor {@link IGNORE_INDEX}, or there are more than 256 classes.
 */
export function encodeLabelPng(label: LabelImage, classes: readonly ClassInfo[]): Uint8Array {
  return labelPng(label, classes, deflateSync(pixelRows("encodeLabelPng", label, classes), { level: 9 }));
}

const deflateInBackground = promisify(deflate);

/** Encodes labels as {@link encodeLabelPng} does, but compresses them in the background and less, for many files at a time. */
export async function encodeLabelPngInBackground(
  label: LabelImage,
  classes: readonly ClassInfo[],
): Promise<Uint8Array> {
  const rows = pixelRows("encodeLabelPngInBackground", label, classes);
  return labelPng(label, classes, await deflateInBackground(rows, { level: 6 }));
}

/** Each row starts with its filter: none, which suits indices best. */
function pixelRows(caller: string, label: LabelImage, classes: readonly ClassInfo[]): Uint8Array {
  checkLabel(caller, label, classes.length);
  const { height, width, data } = label;
  const rows = new Uint8Array(height * (width + 1));
  for (let row = 0; row < height; row++) {
    rows.set(data.subarray(row * width, (row + 1) * width), row * (width + 1) + 1);
  }
  return rows;
}

function labelPng(
  { height, width }: LabelImage,
  classes: readonly ClassInfo[],
  pixels: Uint8Array,
): Uint8Array {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, 3, 0, 0, 0], 8);
  return Buffer.concat([
    SIGNATURE,
    chunk("IHDR", header),
    chunk("PLTE", labelPalette(classes)),
    chunk("IDAT", pixels),
    chunk("IEND", new Uint8Array(0)),
  ]);
}

/** Returns red, green, blue of the 256 label values; black for those that are no class. */
export function labelPalette(classes: readonly ClassInfo[]): Uint8Array {
  const palette = new Uint8Array(768);
  classes.slice(0, 256).forEach(({ color }, index) => {
    palette.set(color, 3 * index);
  });
  return palette;
}

function chunk(type: string, body: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(12 + body.length);
  bytes.writeUInt32BE(body.length, 0);
  bytes.write(type, 4, "latin1");
  bytes.set(body, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + body.length)), 8 + body.length);
  return bytes;
}

/** Checks sizes and values of labels on behalf of the named function. @throws {RangeError} Naming the first wrong one. */
export function checkLabel(caller: string, label: LabelImage, classCount: number): void {
  const { height, width, data } = label;
  if (!(height > 0 && width > 0) || data.length !== height * width) {
    throw argumentError(caller, "height × width labels", `${data.length} for ${height}×${width}`);
  }
  if (classCount > 256) {
    throw argumentError(caller, "at most 256 classes", classCount, "labels have 8 bits");
  }
  const wrong = data.findIndex((value) => value >= classCount && value !== IGNORE_INDEX);
  if (wrong >= 0) {
    const place = `row ${Math.floor(wrong / width)}, column ${wrong % width}`;
    throw argumentError(
      caller,
      `labels below ${classCount} or ${IGNORE_INDEX}`,
      `${data[wrong]} at ${place}`,
      "map the labels to this list of classes first",
    );
  }
}

/**
 * Writes labels as an indexed PNG (see {@link encodeLabelPng}), whole or not at all, making its folder if needed.
 *
 * @throws {Error} If the file exists and `overwrite` is not set, or it cannot be written.
 */
export function writeLabelPng(
  path: string,
  label: LabelImage,
  classes: readonly ClassInfo[],
  options: WriteOptions = {},
): void {
  writeNewFile("writeLabelPng", path, encodeLabelPng(label, classes), options);
}
