import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { writeFileAtomically } from "../../core/atomic-file.ts";
import type { Dataset } from "../sample.ts";
import { fingerprint } from "./fingerprint.ts";
import { type ScanOptions, type ScanResult, scan } from "./scan.ts";

/** A cached scan if it is of exactly these files, classes and label maps, else undefined. */
export async function freshScan(dataset: Dataset, cachePath: string): Promise<ScanResult | undefined> {
  let cached: ScanResult;
  try {
    cached = JSON.parse(await readFile(cachePath, "utf8")) as ScanResult;
  } catch {
    return undefined;
  }
  return cached?.fingerprint === (await fingerprint(dataset)) ? cached : undefined;
}

/**
 * The scan of a split, from the cache if it is fresh, else made now and cached.
 *
 * @param cachePath - A JSON file of the caller's; its folder is made.
 */
export async function cachedScan(
  dataset: Dataset,
  cachePath: string,
  options: ScanOptions = {},
): Promise<ScanResult> {
  const fresh = await freshScan(dataset, cachePath);
  if (fresh) return fresh;
  const result = await scan(dataset, options);
  await mkdir(dirname(cachePath), { recursive: true });
  writeFileAtomically(cachePath, JSON.stringify(result));
  return result;
}
