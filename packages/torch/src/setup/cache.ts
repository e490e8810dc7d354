import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cacheFolder } from "./cache-folder.ts";
import type { Libtorch } from "./libtorch.ts";

/** The libtorch of the last set-up, which programs run on. */
export interface RememberedLibtorch extends Libtorch {
  /** Whether the user named it or had it downloaded; set-up then keeps to it, and searches anew otherwise. */
  readonly isChosen: boolean;
}

/**
 * Returns the folder of native builds, downloaded libtorchs and the choice among them: `ARMSEG_BUILDS`, for one that several users or
 * caches share, else the cache.
 */
export function buildsFolder(): string {
  return process.env.ARMSEG_BUILDS || cacheFolder();
}

function recordFile(): string {
  return join(buildsFolder(), "libtorch.json");
}

/** Writes a small file so that readers find the old content or the new one. */
export function writeWhole(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, content);
  renameSync(temporary, path);
}

/** Makes a libtorch the one that programs of this user run on. */
export function rememberLibtorch(libtorch: Libtorch, isChosen: boolean): void {
  writeWhole(recordFile(), `${JSON.stringify({ ...libtorch, isChosen }, null, 2)}\n`);
}

/** Returns the libtorch of the last set-up, or `null` where there was none. */
export function rememberedLibtorch(): RememberedLibtorch | null {
  try {
    return JSON.parse(readFileSync(recordFile(), "utf8")) as RememberedLibtorch;
  } catch {
    return null; // never written, or by a version that wrote something else
  }
}

/** Returns the folder that holds libtorchs which were downloaded. */
export function archiveFolder(): string {
  return join(buildsFolder(), "libtorch");
}
