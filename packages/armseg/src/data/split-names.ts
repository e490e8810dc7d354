import { createHash } from "node:crypto";
import { DataError } from "./data-error.ts";
import { countOf } from "./formats/pair-files.ts";
import type { Dataset, Sample } from "./sample.ts";

export interface SplitOptions {
  /** Chooses the validation images. Default 0. */
  readonly seed?: number;
  /** Share of the images kept for validation, between 0 and 1. Default 0.2. */
  readonly validationShare?: number;
}

/**
 * Split names at random into a list to train on and a list to validate on, both in the order given.
 *
 * The order of the draw depends on each name and the seed alone, so images added later leave most others where they are.
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
    throw new Error(`splitNames(): ${countOf(names.length, "image")}, expected at least 2`);
  const order = new Map(
    names.map((name) => [name, createHash("sha256").update(`${seed}/${name}`).digest("hex")]),
  );
  const shuffled = [...names].sort((a, b) => (order.get(a)! < order.get(b)! ? -1 : 1));
  const count = Math.min(names.length - 1, Math.max(1, Math.round(validationShare * names.length)));
  const val = new Set(shuffled.slice(0, count));
  return { train: names.filter((name) => !val.has(name)), val: names.filter((name) => val.has(name)) };
}

/** Says how names were split, for the reader. */
export function splitSentence(
  { train, val }: { readonly train: readonly string[]; readonly val: readonly string[] },
  { seed = 0 }: SplitOptions,
): string {
  return `Split: ${countOf(train.length, "image")} for training and ${val.length} for validation, chosen at random with seed ${seed}. If they are frames of videos, split them by video instead: neighbouring frames on both sides make validation meaningless.`;
}

/**
 * Returns the listed samples of a data set, in the order of the list. Its classes stay: two splits of one data set agree on them.
 *
 * Names agree in whichever Unicode normal form they are written. A name that is listed twice is there twice, and noted.
 *
 * @param split - What to call the part. Default: as the whole.
 * @throws {DataError} If the list is empty, or a listed name has no sample or several.
 */
export function pickSamples(dataset: Dataset, names: readonly string[], split = dataset.split): Dataset {
  if (names.length === 0)
    throw new DataError(
      `pickSamples(): expected at least one name of ${dataset.name}, got an empty list`,
      dataset.name,
    );
  const listed = names.map((name) => name.normalize("NFC"));
  const byName = new Map<string, Sample[]>();
  for (const sample of dataset.samples) {
    const name = sample.name.normalize("NFC");
    byName.set(name, [...(byName.get(name) ?? []), sample]);
  }
  const samples = listed.map((name) => {
    const [sample, other] = byName.get(name) ?? [];
    if (!sample || other) throw new DataError(notOneSample(dataset, name, listed, byName), dataset.name);
    return sample;
  });
  const picked = new Set(listed);
  const problems = (dataset.problems ?? []).filter(
    ({ sample }) => sample === undefined || picked.has(sample),
  );
  const repeated = listed.length - picked.size;
  const notes = repeated > 0 ? [`${countOf(repeated, "line")} repeated in the list of ${split}`] : [];
  return { ...dataset, split, samples, problems, notes: [...dataset.notes, ...notes] };
}

function notOneSample(
  { name: dataset, samples, problems = [] }: Dataset,
  name: string,
  listed: readonly string[],
  byName: ReadonlyMap<string, readonly Sample[]>,
): string {
  const problem = problems.find(({ sample }) => sample === name);
  if (problem) return `pickSamples(): ${problem.text}`;
  if (byName.has(name)) return `pickSamples(): expected one sample "${name}" in ${dataset}, got several`;
  const missing = listed.filter((other) => !byName.has(other));
  return `pickSamples(): ${countOf(missing.length, "listed name")} of ${listed.length} not in ${dataset}, e.g. "${name}"; names are like "${samples[0]?.name}"`;
}
