import type { Dirent } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { DataError, messageOf } from "../data-error.ts";

/** Names of picture files that can be read as images. */
export const IMAGE_FILE = /\.(png|jpe?g|webp|tiff?|gif)$/i;
/** Names of picture files that can be read as masks. */
export const MASK_FILE = /\.png$/i;

/**
 * All files under a folder whose names match, as paths relative to it with `/` between parts, in code-unit order.
 *
 * @throws {DataError} If the folder is missing or cannot be read.
 */
export async function listFiles(folder: string, pattern: RegExp): Promise<string[]> {
  let entries: Dirent[];
  try {
    entries = await readdir(folder, { recursive: true, withFileTypes: true });
  } catch (cause) {
    throw new DataError(`cannot list the folder ${folder}: ${messageOf(cause)}`, folder, cause);
  }
  return entries
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith(".") && pattern.test(entry.name))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort();
}

/** The lines of a text file, trimmed, without empty ones and comments (`#`). @throws {DataError} If it cannot be read. */
export async function readLines(path: string): Promise<string[]> {
  try {
    const lines = (await readFile(path, "utf8")).split(/\r?\n/);
    return lines.map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#"));
  } catch (cause) {
    throw new DataError(`cannot read ${path}: ${messageOf(cause)}`, path, cause);
  }
}
