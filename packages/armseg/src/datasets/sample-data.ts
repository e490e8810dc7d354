import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

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
