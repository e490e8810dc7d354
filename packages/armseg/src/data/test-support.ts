import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { crc32, deflateSync } from "node:zlib";

/** Real files for tests; they lie beside the repository, never in it. Used by tests only. */
export const DATA_ROOT = resolve(fileURLToPath(import.meta.url), "../../../../../../shared/data");

/** Whether the real files are there; tests on them say so and are left out otherwise. */
export const hasData = existsSync(join(DATA_ROOT, "README.md"));
if (!hasData) console.warn(`no sample data in ${DATA_ROOT}: the tests on real files are left out`);

export function sha256(data: Uint8Array | Uint16Array): string {
  return createHash("sha256")
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest("hex");
}

export function golden<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`golden/${name}`, import.meta.url), "utf8")) as T;
}

/** The share of rows whose hash is that of the golden file: a lower bound of the share of equal pixels. */
export function equalRows(label: { height: number; width: number; data: Uint8Array }, rows: string): number {
  let equal = 0;
  for (let y = 0; y < label.height; y++) {
    const row = label.data.subarray(y * label.width, (y + 1) * label.width);
    if (sha256(row).slice(0, 8) === rows.slice(8 * y, 8 * y + 8)) equal++;
  }
  return equal / label.height;
}

/** A folder of its own for a test's files, given as path to content. */
export async function fixture(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const root = mkdtempSync(join(tmpdir(), "armseg-"));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}

/** A PNG written by hand: colour type and bit depth as asked, row y with filter `y % 5`, samples row-major, interlaced where asked. */
export function encodePng(
  colorType: 0 | 2 | 3 | 4 | 6,
  bitDepth: number,
  height: number,
  width: number,
  samples: ArrayLike<number>,
  chunks: readonly { type: string; body: Uint8Array }[] = [],
  interlaced = false,
): Uint8Array {
  const channels = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }[colorType];
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([bitDepth, colorType, 0, 0, interlaced ? 1 : 0], 8);
  const filtered = Buffer.concat(
    passes(samples, height, width, channels, interlaced).flatMap((pass) =>
      pass.rows === 0 || pass.samples.length === 0
        ? []
        : filteredRows(pass.samples, pass.rows, bitDepth, channels),
    ),
  );
  const parts = [
    { type: "IHDR", body: header },
    ...chunks,
    { type: "IDAT", body: deflateSync(filtered) },
    { type: "IEND", body: Buffer.alloc(0) },
  ];
  return Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), ...parts.map(chunk)]);
}

const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** The samples of the whole image, or of Adam7's seven passes over it. */
function passes(
  samples: ArrayLike<number>,
  height: number,
  width: number,
  channels: number,
  interlaced: boolean,
): { rows: number; samples: ArrayLike<number> }[] {
  if (!interlaced) return [{ rows: height, samples }];
  return ADAM7.map(([x0, y0, dx, dy]) => {
    const pass: number[] = [];
    for (let y = y0; y < height; y += dy)
      for (let x = x0; x < width; x += dx)
        for (let c = 0; c < channels; c++) pass.push(samples[(y * width + x) * channels + c]!);
    return { rows: Math.ceil((height - y0) / dy), samples: pass };
  });
}

function filteredRows(
  samples: ArrayLike<number>,
  height: number,
  bitDepth: number,
  channels: number,
): Uint8Array[] {
  const rows = packRows(samples, height, samples.length / height, bitDepth);
  const step = Math.max(1, (bitDepth * channels) >> 3);
  return rows.map((row, y) => filterRow(row, rows[y - 1], y % 5, step));
}

function chunk({ type, body }: { type: string; body: Uint8Array }): Buffer {
  const out = Buffer.alloc(body.length + 12);
  out.writeUInt32BE(body.length, 0);
  out.write(type, 4, "latin1");
  out.set(body, 8);
  out.writeUInt32BE(crc32(out.subarray(4, body.length + 8)), body.length + 8);
  return out;
}

function packRows(
  samples: ArrayLike<number>,
  height: number,
  rowSamples: number,
  bitDepth: number,
): Uint8Array[] {
  return Array.from({ length: height }, (_, y) => {
    const row = new Uint8Array(Math.ceil((rowSamples * bitDepth) / 8));
    for (let x = 0; x < rowSamples; x++) {
      const value = samples[y * rowSamples + x]!;
      if (bitDepth === 16) row.set([value >> 8, value & 255], 2 * x);
      else row[(x * bitDepth) >> 3]! |= value << (8 - bitDepth - ((x * bitDepth) & 7));
    }
    return row;
  });
}

function filterRow(row: Uint8Array, above: Uint8Array | undefined, filter: number, step: number): Uint8Array {
  const out = new Uint8Array(row.length + 1);
  out[0] = filter;
  for (let i = 0; i < row.length; i++) {
    const [a, b, c] = [row[i - step] ?? 0, above?.[i] ?? 0, i < step ? 0 : (above?.[i - step] ?? 0)];
    const p = a + b - c;
    const nearest = [a, b, c].sort((u, v) => Math.abs(p - u) - Math.abs(p - v))[0]!;
    const predictions = [0, a, b, (a + b) >> 1, nearest];
    out[i + 1] = row[i]! - predictions[filter]!;
  }
  return out;
}

type TiffSamples = Uint8Array | Uint16Array | Int16Array | Int32Array | Float32Array;

/** An uncompressed TIFF of one strip. @param samples - `[height, width, bands]`. */
export function encodeTiff(
  samples: TiffSamples,
  [height, width, bands]: readonly [number, number, number],
): Uint8Array {
  const sampleFormat =
    samples instanceof Float32Array
      ? 3
      : samples instanceof Int16Array || samples instanceof Int32Array
        ? 2
        : 1;
  const bits = 8 * samples.BYTES_PER_ELEMENT;
  const tags: [tag: number, type: 3 | 4, values: number[]][] = [
    [256, 4, [width]],
    [257, 4, [height]],
    [258, 3, Array.from({ length: bands }, () => bits)],
    [259, 3, [1]],
    [262, 3, [bands >= 3 ? 2 : 1]],
    [273, 4, [0]],
    [277, 3, [bands]],
    [278, 4, [height]],
    [279, 4, [samples.byteLength]],
    [339, 3, Array.from({ length: bands }, () => sampleFormat)],
  ];
  const out = Buffer.alloc(8 + 2 + 12 * tags.length + 4 + 64 * tags.length + samples.byteLength);
  out.write("II*\0", 0, "latin1");
  out.writeUInt32LE(8, 4);
  out.writeUInt16LE(tags.length, 8);
  let extra = 8 + 2 + 12 * tags.length + 4;
  const start = extra + 64 * tags.length;
  tags.forEach(([tag, type, values], i) => {
    const at = 10 + 12 * i;
    const bytes = type === 3 ? 2 : 4;
    out.writeUInt16LE(tag, at);
    out.writeUInt16LE(type, at + 2);
    out.writeUInt32LE(values.length, at + 4);
    const place = values.length * bytes > 4 ? extra : at + 8;
    if (place === extra) out.writeUInt32LE(extra, at + 8);
    values.forEach((value, k) => void out.writeUIntLE(tag === 273 ? start : value, place + bytes * k, bytes));
    if (place === extra) extra += 64;
  });
  Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength).copy(out, start);
  return out;
}

/** Returns a PNG with the checksums of its chunks made right again, so that damage reaches the decoder. */
export function withRightChecksums(png: Uint8Array): Uint8Array {
  const out = Buffer.from(png);
  for (let at = 8; at + 12 <= out.length; ) {
    const end = at + 8 + out.readUInt32BE(at);
    if (end + 4 > out.length) break;
    out.writeUInt32BE(crc32(out.subarray(at + 4, end)), end);
    at = end + 4;
  }
  return out;
}
