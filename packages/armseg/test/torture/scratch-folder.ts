import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** In memory on Linux: files that are written a million times need no disk. */
const MEMORY = "/dev/shm";

/** Makes a folder for many small files, which the caller removes. */
export function scratchFolder(name: string): string {
  return mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), `armseg-${name}-`));
}
