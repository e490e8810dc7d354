import { crc32, inflateRawSync } from "node:zlib";
import type { InputFile } from "../input-file.ts";
import type { ByteBudget } from "./byte-budget.ts";
import type { ZipEntry } from "./zip-directory.ts";

const LOCAL_BYTES = 30;
const LOCAL_SIGNATURE = 0x04034b50;
const ENCRYPTED = 1;
/** Method of an entry that is not compressed. */
export const STORED = 0;
const DEFLATED = 8;
const DAMAGED = "the archive is truncated or damaged: fetch it again";

export interface EntryOptions {
  readonly budget: ByteBudget;
  /** Whether the content must have the checksum of the zip directory; false for an archive written without checksums. */
  readonly isChecked: boolean;
}

/**
 * The content of an entry, at byte 0 of a buffer of its own: stored ones in one positioned read.
 *
 * A deflated one never grows beyond the size it claims, and all claims together not beyond the budget.
 */
export function readZipEntry(
  file: InputFile,
  entry: ZipEntry,
  { budget, isChecked }: EntryOptions,
): Uint8Array {
  const stored = readStored(file, entry);
  const content = entry.method === STORED ? stored : inflate(file, entry, stored, budget);
  if (content.length !== entry.size) {
    throw file.error(`entry ${entry.name}: expected ${entry.size} bytes, got ${content.length}`, DAMAGED);
  }
  // PyTorch does not look, so a damaged download becomes silent garbage there.
  if (isChecked && crc32(content) !== entry.crc32) {
    throw file.error(
      `entry ${entry.name}: expected bytes with the checksum of the zip directory, got others`,
      DAMAGED,
    );
  }
  return content;
}

function readStored(file: InputFile, entry: ZipEntry): Uint8Array {
  const local = file.read(entry.headerOffset, LOCAL_BYTES);
  const view = new DataView(local.buffer);
  if (view.getUint32(0, true) !== LOCAL_SIGNATURE) {
    throw file.error(
      `entry ${entry.name}: expected its header at byte ${entry.headerOffset}, got none`,
      DAMAGED,
    );
  }
  if ((entry.flags & ENCRYPTED) !== 0)
    throw file.error(`entry ${entry.name} is encrypted`, "decrypt the archive first");
  if (entry.method !== STORED && entry.method !== DEFLATED) {
    throw file.error(`entry ${entry.name}: expected it stored or deflated, got method ${entry.method}`);
  }
  const start = entry.headerOffset + LOCAL_BYTES + view.getUint16(26, true) + view.getUint16(28, true);
  return file.read(start, entry.compressedSize);
}

function inflate(file: InputFile, entry: ZipEntry, deflated: Uint8Array, budget: ByteBudget): Uint8Array {
  budget.charge(entry.size, `the inflated entry ${entry.name}`);
  try {
    // Copied, since Node.js may return a part of a shared pool at an odd offset.
    return new Uint8Array(inflateRawSync(deflated, { maxOutputLength: Math.max(entry.size, 1) }));
  } catch (error) {
    throw file.error(`entry ${entry.name}: expected deflated data of ${entry.size} bytes`, DAMAGED, error);
  }
}
