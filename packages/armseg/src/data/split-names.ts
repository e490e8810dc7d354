import { createHash } from "node:crypto";
import { DataError } from "./data-error.ts";
import { countOf } from "./formats/pair-files.ts";
import type { Dataset } from "./sample.ts";

export interface SplitOptions {
  /** Chooses the validation pictures. Default 0. */
  readonly seed?: number;
  /** Share of the pictures kept for validation, between 0 and 1. Default 0.2. */
  readonly validationShare?: number;
}

/**
 * Split names at random into a list to train on and a list to validate on, both in the order given.
 *
 * The order of the draw depends on each name and the seed alone, so pictures added later leave most others where they are.
 *
 * @throws If there are fewer than two names, or the share is not between 0 and 1.
 */
export function splitNames(
  names: readonly string[],
  { seed = 0, validationShare = 0.2 }: SplitOptions = {},
): { train: string[]; val: string[] } {
  if (!(validationShare > 0 && validationShare < 1))
    throw new Error(`splitNames(): validationShare is ${validationShare}, expected between 0 and 1`);
  if (names.length < 2)
    throw new Error(`splitNames(): ${countOf(names.length, "picture")}, expected at least 2`);
  const order = new Map(
    names.map((name) => [name, createHash("sha256").update(`${seed}/${name}`).digest("hex")]),
  );
  const shuffled = [...names].sort((a, b) => (order.get(a)! < order.get(b)! ? -1 : 1));
  const count = Math.min(names.length - 1, Math.max(1, Math.round(validationShare * names.length)));
  const val = new Set(shuffled.slice(0, count));
  return { train: names.filter((name) => !val.has(name)), val: names.filter((name) => val.has(name)) };
}

/**
 * The listed samples of a data set, in the order of the list. Its classes stay: two splits of one data set agree on them.
 *
 * @param split - What to call the part. Default: as the whole.
 * @throws {DataError} If a listed name has no sample.
 */
export function pickSamples(dataset: Dataset, names: readonly string[], split = dataset.split): Dataset {
  const byName = new Map(dataset.samples.map((sample) => [sample.name, sample]));
  const missing = names.filter((name) => !byName.has(name));
  if (missing.length > 0)
    throw new DataError(
      `pickSamples(): ${countOf(missing.length, "listed name")} of ${names.length} not in ${dataset.name}, e.g. "${missing[0]}"; names are like "${dataset.samples[0]?.name}"`,
      dataset.name,
    );
  return { ...dataset, split, samples: names.map((name) => byName.get(name)!) };
}
