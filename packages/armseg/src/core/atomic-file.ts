import { randomBytes } from "node:crypto";
import fs from "node:fs";
import { basename, dirname, join } from "node:path";

/** `.NAME.armseg-PID-RANDOM.tmp`: recognisable, so that what a crash leaves behind can be removed by name. */
const TEMPORARY_NAME = /^\..+\.armseg-\d+-[0-9a-f]{8}\.tmp$/;

/**
 * Writes a whole file so that a reader, a crash or a full disk only ever sees the old content or the new.
 *
 * The content goes to a temporary file in the same folder, is flushed to the disk, and is renamed into place; the
 * folder is flushed last, so that the rename survives a power failure.
 *
 * @throws If the file cannot be written; the file that was there before is unchanged.
 */
export function writeFileAtomically(path: string, content: string | Uint8Array): void {
  const temporary = temporaryPath(path);
  try {
    fs.writeFileSync(temporary, content, { flag: "wx" });
    moveIntoPlace(temporary, path);
  } catch (error) {
    throw failed("writeFileAtomically", path, temporary, error);
  }
}

/**
 * As {@link writeFileAtomically}, for a writer that wants a path of its own (checkpoints of many gigabytes).
 *
 * @param write - Writes the whole file at the path it is given. It may be asynchronous.
 * @throws If `write` fails or the file cannot be moved into place; the file that was there before is unchanged.
 */
export async function replaceFileAtomically(
  path: string,
  write: (temporaryPath: string) => void | Promise<void>,
): Promise<void> {
  const temporary = temporaryPath(path);
  try {
    await write(temporary);
    moveIntoPlace(temporary, path);
  } catch (error) {
    throw failed("replaceFileAtomically", path, temporary, error);
  }
}

/**
 * Removes the temporary files that an earlier, killed process left in a folder, and returns their names.
 *
 * Only files with this module's own name pattern are touched. Call it where no other process writes: under the run's
 * lock.
 */
export function removeTemporaryFiles(folder: string): string[] {
  if (!fs.existsSync(folder)) return [];
  const left = fs.readdirSync(folder).filter((name) => TEMPORARY_NAME.test(name));
  for (const name of left) fs.rmSync(join(folder, name), { force: true });
  return left;
}

/** Flushes a folder's entries (new names, renames, deletions) to the disk. */
export function flushFolder(folder: string): void {
  // Windows cannot open a folder; its renames are journalled by the file system.
  if (process.platform === "win32") return;
  flush(folder, "r");
}

function temporaryPath(path: string): string {
  const unique = `${process.pid}-${randomBytes(4).toString("hex")}`;
  return join(dirname(path), `.${basename(path)}.armseg-${unique}.tmp`);
}

function moveIntoPlace(temporary: string, path: string): void {
  flush(temporary, "r+");
  fs.renameSync(temporary, path);
  flushFolder(dirname(path));
}

function flush(path: string, flags: string): void {
  const descriptor = fs.openSync(path, flags);
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

function failed(what: string, path: string, temporary: string, cause: unknown): Error {
  fs.rmSync(temporary, { force: true });
  const code = (cause as NodeJS.ErrnoException).code;
  const reason = cause instanceof Error ? cause.message : String(cause);
  const remedy = code === "ENOSPC" || code === "EDQUOT" ? " The disk is full: free some space." : "";
  return Object.assign(
    new Error(`${what}(): could not write ${path}: ${reason}. What was there before is unchanged.${remedy}`, {
      cause,
    }),
    code === undefined ? {} : { code },
  );
}
