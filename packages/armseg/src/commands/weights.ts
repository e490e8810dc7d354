import { existsSync } from "node:fs";
import { pretrainedFile } from "../config/pretrained.ts";
import { readConfig } from "../config/read-config.ts";
import { textTable } from "../core/text-table.ts";
import { fileNameOf, IMAGENET_WEIGHTS, type ImageNetWeights } from "../networks/weights/imagenet.ts";
import {
  addressOf,
  cachedPath,
  fetchWeights,
  isCached,
  weightsFolder,
} from "../networks/weights/weights-cache.ts";

/** An entry of the table, and whether its file is at hand. */
export interface ListedWeights extends ImageNetWeights {
  readonly file: string;
  readonly isCached: boolean;
  /** Whether the whole SHA-256 is known, not just its first digits. */
  readonly isHashWhole: boolean;
}

export interface WeightsList {
  readonly folder: string;
  readonly weights: readonly ListedWeights[];
}

/** Returns all weights that `model.weights: imagenet` may stand for. */
export function listWeights(): WeightsList {
  const weights = IMAGENET_WEIGHTS.map((entry) => ({
    ...entry,
    file: fileNameOf(entry),
    isCached: isCached(entry),
    isHashWhole: entry.sha256.length === 64,
  }));
  return { folder: weightsFolder(), weights };
}

export function weightsListText({ folder, weights }: WeightsList): string {
  const rows = weights.map(({ name, mebibytes, sha256, isHashWhole, isCached: isHere, license, source }) => [
    name,
    mebibytes === null ? "?" : mebibytes.toFixed(0),
    `${sha256.slice(0, 8)}${isHashWhole ? "" : " *"}`,
    isHere ? "yes" : "no",
    license,
    source,
  ]);
  const head = ["name", "MiB", "SHA-256", "here", "licence", "source"];
  return [
    ...textTable([head, ...rows], { left: [0, 2, 3, 4, 5] }),
    "",
    "* these digits, from the file's name, are all that is known of the hash; a file is checked against them",
    `kept in ${folder}`,
  ].join("\n");
}

/**
 * Finds an entry by its name, or by a configuration file that needs it.
 *
 * @throws {Error} If neither is known.
 */
export function findWeights(nameOrConfig: string): ImageNetWeights {
  const entry = IMAGENET_WEIGHTS.find(({ name }) => name.toLowerCase() === nameOrConfig.toLowerCase());
  if (entry) return entry;
  if (!/\.ya?ml$/.test(nameOrConfig) || !existsSync(nameOrConfig)) {
    const names = IMAGENET_WEIGHTS.map(({ name }) => name).join(", ");
    throw new Error(`weights: expected a configuration file or one of ${names}, got "${nameOrConfig}"`);
  }
  const found = pretrainedFile(readConfig(nameOrConfig).model)?.entry;
  if (found) return found;
  throw new Error(`weights: ${nameOrConfig} needs none: its model.weights is not imagenet`);
}

export interface FetchedWeights {
  readonly name: string;
  readonly path: string;
  readonly sha256: string;
  /** Whether it was fetched just now. */
  readonly isFetched: boolean;
}

/**
 * Fetches weights into the cache, unless they are there.
 *
 * @throws {Error} If they cannot be had; the message names the file and the folder to put it into.
 */
export async function fetchByName(
  nameOrConfig: string,
  options: Parameters<typeof fetchWeights>[1] = {},
): Promise<FetchedWeights> {
  const entry = findWeights(nameOrConfig);
  try {
    return { name: entry.name, ...(await fetchWeights(entry, options)) };
  } catch (cause) {
    options.signal?.throwIfAborted();
    throw new Error(`${(cause as Error).message}\n${byHand(entry)}`, { cause });
  }
}

function byHand(entry: ImageNetWeights): string {
  const path = cachedPath(entry);
  return isCached(entry)
    ? `Remove ${path} and fetch it again.`
    : [
        `Fetch it where there is a network, and put it here:`,
        `  ${addressOf(entry)}`,
        `  ${path}`,
        "A mirror that has the files side by side is taken with ARMSEG_WEIGHTS_URL=https://...",
      ].join("\n");
}

export function fetchedText({ name, path, sha256, isFetched }: FetchedWeights): string {
  return [
    isFetched ? `${name}: fetched` : `${name}: was there already, and is whole`,
    `  ${path}`,
    `  SHA-256 ${sha256}`,
  ].join("\n");
}

/**
 * Returns the path of weights in the cache.
 *
 * @throws {Error} If they are not there.
 */
export function weightsPath(nameOrConfig: string): string {
  const entry = findWeights(nameOrConfig);
  if (isCached(entry)) return cachedPath(entry);
  throw new Error(
    `weights: ${cachedPath(entry)} is not there; armseg weights fetch ${entry.name} fetches it`,
  );
}
