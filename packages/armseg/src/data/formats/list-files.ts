import { type Dirent, existsSync, realpathSync, statSync } from "node:fs";
import { readdir, realpath } from "node:fs/promises";
import { isAbsolute, join, relative, sep } from "node:path";
import { DataError, messageOf } from "../data-error.ts";
import { readText } from "./text-file.ts";

/** Names of image files that can be read as images. */
export const IMAGE_FILE = /\.(png|jpe?g|webp|tiff?|gif)$/i;
/** Names of image files that can be read as masks. */
export const MASK_FILE = /\.png$/i;

/**
 * Returns all files below a folder whose names match, as paths relative to it with `/` between parts, in code-unit order.
 *
 * Symbolic links are followed, except to a folder that the link lies in. Hidden files and all below hidden folders are left out.
 *
 * @throws {DataError} If the folder is missing or cannot be read, or a link below it leads to no folder.
 */
export async function listFiles(folder: string, pattern: RegExp): Promise<string[]> {
  const found: string[] = [];
  await walk({ folder, below: "", parents: [] });
  return found.sort();

  async function walk({ folder, below, parents }: Place): Promise<void> {
    const { entries, real } = await readFolder(folder);
    if (parents.includes(real)) return;
    for (const entry of entries) {
      if (entry.name.startsWith(".")) continue;
      const path = join(folder, entry.name);
      const name = `${below}${entry.name}`;
      if (isFolder(entry, path, pattern))
        await walk({ folder: path, below: `${name}/`, parents: [...parents, real] });
      else if (pattern.test(entry.name)) found.push(name);
    }
  }
}

interface Place {
  readonly folder: string;
  /** The folder's path below the one that is listed, with `/` at its end. */
  readonly below: string;
  /** Real paths of the folders above it, up to the one that is listed. */
  readonly parents: readonly string[];
}

async function readFolder(folder: string): Promise<{ entries: Dirent[]; real: string }> {
  try {
    return { entries: await readdir(folder, { withFileTypes: true }), real: await realpath(folder) };
  } catch (cause) {
    throw new DataError(`cannot list the folder ${folder}: ${messageOf(cause)}`, folder, cause);
  }
}

function isFolder(entry: Dirent, path: string, pattern: RegExp): boolean {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  if (existsSync(path)) return statSync(path).isDirectory();
  // A link to a missing image is listed: reading it names it. One without a file type was a folder.
  if (!pattern.test(entry.name) && !entry.name.includes("."))
    throw new DataError(`listFiles(): ${path} is a link that leads nowhere; mount or remove it`, path);
  return false;
}

/** Whether a file of a folder, as {@link listFiles} has it, does not lie in another folder inside; every file does not where the two are one. */
export function outside(folder: string, other: string): (file: string) => boolean {
  const inside = relative(realpathSync(folder), realpathSync(other)).split(sep).join("/");
  return (file) => inside === "" || !file.startsWith(`${inside}/`);
}

/**
 * Returns the file that a name in an annotation file means: as written, with `\` read as `/`, in either Unicode normal form, or decoded (`%20`).
 *
 * @param name - Relative to the folder.
 * @returns Its path, or undefined if there is no such file.
 */
export function findFile(folder: string, name: string): string | undefined {
  const slashed = withSlashes(name);
  const forms = [slashed.normalize("NFC"), slashed.normalize("NFD"), decoded(slashed)];
  const spellings = new Set([name, slashed, ...forms]);
  return [...spellings].map((spelling) => join(folder, spelling)).find((path) => existsSync(path));
}

/**
 * Refuses a name in an annotation file that leads out of a folder (`../../x.jpg`): such a file may come from anywhere.
 *
 * @param file - The annotation file.
 * @throws {DataError} If it does.
 */
export function requireInside(folder: string, name: string, file: string): void {
  const forms = [withSlashes(name), decoded(withSlashes(name))];
  if (!forms.some((form) => leadsOut(folder, join(folder, form)))) return;
  throw new DataError(
    `expected the names of files in ${folder}, got ${name} in ${file}, which leads out of it; move the file there`,
    file,
  );
}

/** Whether a path, as it is written, leads out of a folder. */
export function leadsOut(folder: string, path: string): boolean {
  const inside = relative(folder, path);
  return inside === ".." || inside.startsWith(`..${sep}`) || isAbsolute(inside);
}

/** A name as tools write it that take it from an address. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name; // A percent sign of its own.
  }
}

/** Returns a path as it is written elsewhere than on Windows. */
export function withSlashes(path: string): string {
  return path.replaceAll("\\", "/");
}

/** Returns the lines of a text file, trimmed, without empty ones and comments (`#` and a space: file names may begin with `#`). @throws {DataError} If it cannot be read. */
export async function readLines(path: string): Promise<string[]> {
  const lines = (await readText(path)).split(/\r?\n/);
  return lines.map((line) => line.trim()).filter((line) => line !== "" && !/^#(\s|$)/.test(line));
}

/** Returns the names in a list of samples. @throws {DataError} If the file cannot be read or has none. */
export async function readNames(path: string): Promise<string[]> {
  const names = await readLines(path);
  if (names.length > 0) return names;
  throw new DataError(`readNames(): expected one sample name per line, got an empty list in ${path}`, path);
}
