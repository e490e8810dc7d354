import { randomBytes } from "node:crypto";
import fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { diskRemedy } from "./disk-error.ts";

/** How a new file is written. */
export interface WriteOptions {
  /** Replace a file that exists. Default false: an error. */
  readonly overwrite?: boolean;
}

/**
 * `.armseg-PID-RANDOM.tmp`, perhaps with words in front: recognisable, so that what a crash leaves behind can be removed by
 * name. Without the file's own name, which may already be as long as a name can be. `@armseg/torch` names its own alike.
 */
const TEMPORARY_NAME = /^\.(.+\.)?armseg-\d+-[0-9a-f]{8}\.tmp$/;

/** A folder in the making that is older than this is nobody's any more. */
const UNFINISHED_FOR_MS = 24 * 3_600_000;

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
 * @param options.flush - Flushes file and folder to the disk, so that the file survives a power failure. Default true; a cache
 *   can do without.
 * @throws If `write` fails or the file cannot be moved into place; the file that was there before is unchanged.
 */
export async function replaceFileAtomically(
  path: string,
  write: (temporaryPath: string) => void | Promise<void>,
  options: { readonly flush?: boolean } = {},
): Promise<void> {
  const temporary = temporaryPath(path);
  try {
    await write(temporary);
    if (options.flush ?? true) moveIntoPlace(temporary, path);
    else fs.renameSync(temporary, path);
  } catch (error) {
    throw failed("replaceFileAtomically", path, temporary, error);
  }
}

/**
 * Writes a file as {@link writeFileAtomically} does, makes its folder if needed, and refuses to replace a file unless told to.
 *
 * @param caller - The function that the error of an existing file names.
 * @throws {Error} If the file exists and `overwrite` is not set, or it cannot be written.
 */
export function writeNewFile(
  caller: string,
  path: string,
  content: string | Uint8Array,
  { overwrite = false }: WriteOptions,
): void {
  if (!overwrite && fs.existsSync(path)) {
    throw new Error(
      `${caller}(): ${path} exists and is not overwritten; choose another place, or set overwrite (on the command line --overwrite).`,
    );
  }
  fs.mkdirSync(dirname(path), { recursive: true });
  writeFileAtomically(path, content);
}

/**
 * Makes a whole folder: `make` fills one of another name, which is then renamed, so that a folder that is there is complete.
 * What a killed process left of one is removed after a day.
 *
 * @returns What `make` returns.
 * @throws If the folder exists and is not empty, or another process makes it meanwhile; `code` is then `ENOTEMPTY` or `EEXIST`.
 */
export async function makeFolder<T>(folder: string, make: (unfinished: string) => Promise<T>): Promise<T> {
  fs.mkdirSync(dirname(folder), { recursive: true });
  removeUnfinished(folder);
  const unfinished = `${folder}.unfinished-${process.pid}-${randomBytes(4).toString("hex")}`;
  try {
    const made = await make(unfinished);
    removeIfEmpty(folder);
    fs.renameSync(unfinished, folder);
    return made;
  } catch (error) {
    fs.rmSync(unfinished, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Makes a whole folder as {@link makeFolder} does; does nothing where the folder exists. Of several processes that make it
 * at the same time, the first to finish has made it.
 */
export async function makeFolderOnce(
  folder: string,
  make: (unfinished: string) => Promise<unknown>,
): Promise<void> {
  if (fs.existsSync(folder)) return;
  try {
    await makeFolder(folder, make);
  } catch (error) {
    const wasMade = ["ENOTEMPTY", "EEXIST"].includes((error as NodeJS.ErrnoException).code ?? "");
    if (!(wasMade && fs.existsSync(folder))) throw error;
  }
}

/** Not every system renames onto an empty folder. */
function removeIfEmpty(folder: string): void {
  try {
    fs.rmdirSync(folder);
  } catch {
    // It is not there, or holds something: renaming tells.
  }
}

function removeUnfinished(folder: string): void {
  const start = `${basename(folder)}.unfinished`;
  for (const name of fs.readdirSync(dirname(folder)).filter((entry) => entry.startsWith(start))) {
    const path = join(dirname(folder), name);
    const stat = fs.statSync(path, { throwIfNoEntry: false });
    if (stat && Date.now() - stat.mtimeMs > UNFINISHED_FOR_MS)
      fs.rmSync(path, { recursive: true, force: true });
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
  return join(dirname(path), `.armseg-${unique}.tmp`);
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
  return Object.assign(
    new Error(
      `${what}(): could not write ${path}: ${reason}. What was there before is unchanged.${diskRemedy(cause)}`,
      {
        cause,
      },
    ),
    code === undefined ? {} : { code },
  );
}
