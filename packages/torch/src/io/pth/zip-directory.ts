import type { InputFile } from "../input-file.ts";

/** One file of a zip archive, as its central directory describes it. */
export interface ZipEntry {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly crc32: number;
  readonly compressedSize: number;
  readonly size: number;
  readonly headerOffset: number;
}

interface DirectoryPlace {
  readonly offset: number;
  readonly size: number;
  readonly count: number;
}

const END_BYTES = 22;
const LOCATOR_BYTES = 20;
const ZIP64_END_BYTES = 56;
const ENTRY_BYTES = 46;
const MAX_COMMENT_BYTES = 0xffff;

const END_SIGNATURE = 0x06054b50;
const LOCATOR_SIGNATURE = 0x07064b50;
const ZIP64_END_SIGNATURE = 0x06064b50;
const ENTRY_SIGNATURE = 0x02014b50;

const IN_ZIP64 = 0xffffffff;
const ZIP64_FIELD = 0x0001;
const MAX_ENTRIES = 1_000_000;
const DAMAGED = "the archive is truncated or damaged: fetch it again";

/**
 * Reads the central directory of a zip archive, with the 64-bit extension that torch.save() uses.
 *
 * Field positions: PKWARE APPNOTE.TXT, sections 4.3.7 to 4.5.3. Nothing is decompressed or followed here; sizes and
 * offsets are those claimed, to be checked when an entry is read.
 */
export function readZipDirectory(file: InputFile): Map<string, ZipEntry> {
  const place = findDirectory(file);
  if (place.count > MAX_ENTRIES || place.count * ENTRY_BYTES > place.size) {
    throw file.error(`expected a zip directory, got ${place.count} entries in ${place.size} bytes`, DAMAGED);
  }
  const directory = viewOf(file.read(place.offset, place.size));
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < place.count; i++) {
    const { entry, end } = parseEntry(file, directory, at);
    if (entries.has(entry.name)) throw file.error(`two entries named ${JSON.stringify(entry.name)}`, DAMAGED);
    entries.set(entry.name, entry);
    at = end;
  }
  return entries;
}

function findDirectory(file: InputFile): DirectoryPlace {
  const length = Math.min(file.size, END_BYTES + MAX_COMMENT_BYTES);
  const tailOffset = file.size - length;
  const tail = viewOf(file.read(tailOffset, length));
  for (let at = length - END_BYTES; at >= 0; at--) {
    const isEnd = tail.getUint32(at, true) === END_SIGNATURE;
    if (isEnd && at + END_BYTES + tail.getUint16(at + 20, true) === length) {
      return (
        findZip64Directory(file, tailOffset + at) ?? {
          count: tail.getUint16(at + 10, true),
          size: tail.getUint32(at + 12, true),
          offset: tail.getUint32(at + 16, true),
        }
      );
    }
  }
  throw file.error("expected a zip archive that ends with its directory, got none", DAMAGED);
}

/** Finds the 64-bit directory, if a locator lies right before the ordinary end record. */
function findZip64Directory(file: InputFile, endOffset: number): DirectoryPlace | undefined {
  if (endOffset < LOCATOR_BYTES) return undefined;
  const locator = viewOf(file.read(endOffset - LOCATOR_BYTES, LOCATOR_BYTES));
  if (locator.getUint32(0, true) !== LOCATOR_SIGNATURE) return undefined;
  const end = viewOf(file.read(readUint64(locator, 8), ZIP64_END_BYTES));
  if (end.getUint32(0, true) !== ZIP64_END_SIGNATURE) {
    throw file.error("expected the 64-bit end record of a zip archive, got none", DAMAGED);
  }
  return { count: readUint64(end, 32), size: readUint64(end, 40), offset: readUint64(end, 48) };
}

function parseEntry(file: InputFile, view: DataView, at: number): { entry: ZipEntry; end: number } {
  const fits = at + ENTRY_BYTES <= view.byteLength && view.getUint32(at, true) === ENTRY_SIGNATURE;
  const nameEnd = at + ENTRY_BYTES + (fits ? view.getUint16(at + 28, true) : 0);
  const extraEnd = nameEnd + (fits ? view.getUint16(at + 30, true) : 0);
  const end = extraEnd + (fits ? view.getUint16(at + 32, true) : 0);
  if (!fits || end > view.byteLength)
    throw file.error("expected an entry in the zip directory, got none", DAMAGED);
  const name = Buffer.from(view.buffer, at + ENTRY_BYTES, nameEnd - at - ENTRY_BYTES).toString("utf8");
  const sizes = widenSizes(view, nameEnd, extraEnd, {
    size: view.getUint32(at + 24, true),
    compressedSize: view.getUint32(at + 20, true),
    headerOffset: view.getUint32(at + 42, true),
  });
  if (sizes === undefined)
    throw file.error(`entry ${JSON.stringify(name)}: expected 64-bit sizes, got none`, DAMAGED);
  const flags = view.getUint16(at + 8, true);
  const method = view.getUint16(at + 10, true);
  return { entry: { name, flags, method, crc32: view.getUint32(at + 16, true), ...sizes }, end };
}

interface Sizes {
  size: number;
  compressedSize: number;
  headerOffset: number;
}

/** Replaces the sizes that did not fit 32 bits by those of the extra field, which holds only these, in this order. */
function widenSizes(view: DataView, start: number, end: number, sizes: Sizes): Sizes | undefined {
  const wide = (["size", "compressedSize", "headerOffset"] as const).filter((key) => sizes[key] === IN_ZIP64);
  if (wide.length === 0) return sizes;
  for (let at = start; at + 4 <= end; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== ZIP64_FIELD) continue;
    const fieldEnd = Math.min(end, at + 4 + view.getUint16(at + 2, true));
    if (at + 4 + 8 * wide.length > fieldEnd) return undefined;
    for (const [i, key] of wide.entries()) sizes[key] = readUint64(view, at + 4 + 8 * i);
    return sizes;
  }
  return undefined;
}

/** Reads 64 bits: beyond 2^53 the number is not exact, but then it also lies beyond any file and is refused as such. */
function readUint64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
