import { existsSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder, download, verifyFile } from "@armseg/torch/setup";
import { fileNameOf, type ImageNetWeights } from "./imagenet.ts";

/** Returns the folder where pretrained weights are kept. */
export function weightsFolder(): string {
  return join(cacheFolder(), "weights");
}

/** Returns where the file of an entry is kept, whether or not it is there. */
export function cachedPath(entry: ImageNetWeights): string {
  return join(weightsFolder(), fileNameOf(entry));
}

export function isCached(entry: ImageNetWeights): boolean {
  return existsSync(cachedPath(entry));
}

/** Returns where an entry is fetched from: the publisher, or the mirror that `ARMSEG_WEIGHTS_URL` names, which has the files side by side. */
export function addressOf(entry: ImageNetWeights): string {
  const mirror = process.env.ARMSEG_WEIGHTS_URL;
  return mirror ? `${mirror.replace(/\/+$/, "")}/${fileNameOf(entry)}` : entry.url;
}

/**
 * Fetches the file of an entry into the cache, unless it is there; either way it is the right one afterwards.
 *
 * @returns Its path, and its whole SHA-256.
 * @throws {DownloadError} If it cannot be had, or is damaged.
 */
export async function fetchWeights(
  entry: ImageNetWeights,
  options: {
    readonly onProgress?: (received: number, total: number | undefined) => void;
    readonly signal?: AbortSignal;
  } = {},
): Promise<{ readonly path: string; readonly sha256: string; readonly isFetched: boolean }> {
  const path = cachedPath(entry);
  if (existsSync(path)) return { path, sha256: await verifyFile(path, entry.sha256), isFetched: false };
  const sha256 = await download({ url: addressOf(entry), file: path, sha256: entry.sha256, ...options });
  return { path, sha256, isFetched: true };
}
