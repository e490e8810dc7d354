import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { FileAccessError, reasonOf } from "./file-errors.ts";

/** Few enough bytes per call that a signal is served in time, enough that calls do not count. */
const CHUNK_BYTES = 16 * 2 ** 20;

/** Where the content of a file goes, in order. */
export type ByteSink = (bytes: Uint8Array) => void;

/**
 * Writes a file so that its path holds the old content or the whole new one, never a part, even through a power cut.
 *
 * A temporary file beside it is written, flushed to the disk and renamed; then the folder is flushed. If anything
 * fails the temporary file is removed and the old file stays. A killed process can leave `.armseg-PID-RANDOM.tmp` behind.
 *
 * @param produce - Hands the content to the sink it is given.
 * @throws {FileAccessError} If the file cannot be written, the disk being full included.
 * @throws Whatever `produce` throws.
 */
export function writeFileAtomically(caller: string, path: string, produce: (sink: ByteSink) => void): void {
  // Named as @armseg/armseg's own temporary files are, so that it finds and removes them.
  const temporary = join(dirname(path), `.armseg-${process.pid}-${randomBytes(4).toString("hex")}.tmp`);
  const guarded = <T>(action: () => T): T => {
    try {
      return action();
    } catch (error) {
      const message = `${caller}(): ${path}: cannot be written: ${reasonOf(error)}; what was there before is untouched`;
      throw new FileAccessError(message, path, { cause: error });
    }
  };
  const descriptor = guarded(() => openSync(temporary, "wx"));
  try {
    try {
      produce((bytes) => guarded(() => writeAll(descriptor, bytes)));
      guarded(() => fsyncSync(descriptor));
    } finally {
      closeSync(descriptor);
    }
    guarded(() => renameSync(temporary, path));
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  guarded(() => flushFolder(dirname(path)));
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  let done = 0;
  while (done < bytes.length) {
    done += writeSync(descriptor, bytes, done, Math.min(CHUNK_BYTES, bytes.length - done));
  }
}

/** Flushes a folder: without this a power cut can undo the rename. Windows cannot open a folder, and needs no such flush. */
function flushFolder(folder: string): void {
  if (process.platform === "win32") return;
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
