import { DataError } from "../data-error.ts";
import type { Dataset } from "../sample.ts";

/** The names of a list of splits: `train+val` is train and val. @throws {Error} If a name is empty or twice there. */
export function splitList(split: string): string[] {
  const names = split.split("+").map((name) => name.trim());
  const isList = names.every((name, i) => name !== "" && names.indexOf(name) === i);
  if (isList) return names;
  throw new Error(
    `splitList(): expected different names with + between them, e.g. train+val, got "${split}"`,
  );
}

/** A name out of a known set. @throws {DataError} Naming the set, if it is none of it. */
export function knownSplit<Name extends string>(split: string, known: readonly Name[], path: string): Name {
  const found = known.find((name) => name === split);
  if (found !== undefined) return found;
  throw new DataError(
    `knownSplit(): expected a split of ${known.join(", ")}, or several with + between them, got "${split}"`,
    path,
  );
}

/**
 * A data set's splits as one, in the order of the list: `train+val` is what `open("train")` and `open("val")` give. A single
 * name is opened as it is. Samples whose names are in several splits get that of their split before their own.
 *
 * @param split - Names with `+` between them.
 * @throws {DataError} If an image is in two of the splits, one has labels and another none, or they differ in classes.
 */
export async function joinSplits(
  split: string,
  open: (name: string) => Promise<Dataset> | Dataset,
): Promise<Dataset> {
  const parts: Dataset[] = [];
  for (const name of splitList(split)) parts.push(await open(name));
  const [first, ...others] = parts;
  if (others.length === 0) return first!;
  for (const other of others) checkLike(first!, other);
  checkDistinct(parts);
  const renamed = parts.map((part) => withOwnNames(part, ownNameOf(part, parts)));
  return {
    ...first!,
    split: parts.map((part) => part.split).join("+"),
    samples: renamed.flatMap(({ samples }) => samples),
    notes: renamed.flatMap(({ notes }) => notes),
    unpaired: renamed.flatMap(({ unpaired }) => unpaired ?? []),
    problems: renamed.flatMap(({ problems }) => problems ?? []),
  };
}

function withOwnNames(part: Dataset, ownName: (name: string) => string): Dataset {
  return {
    ...part,
    samples: part.samples.map((sample) => ({ ...sample, name: ownName(sample.name) })),
    problems: (part.problems ?? []).map((problem) =>
      problem.sample === undefined ? problem : { ...problem, sample: ownName(problem.sample) },
    ),
  };
}

function checkLike(first: Dataset, other: Dataset): void {
  if (JSON.stringify(first.classes) !== JSON.stringify(other.classes))
    throw new DataError(
      `joinSplits(): ${first.split} and ${other.split} of ${first.name} differ in classes (${first.classes.length} and ${other.classes.length}); list them in data.classes`,
      first.name,
    );
  const [a, b] = [first, other].map(({ samples }) => samples.every(({ annotation }) => annotation));
  if (a !== b)
    throw new DataError(
      `joinSplits(): of ${first.split} and ${other.split} of ${first.name} one has labels and the other none`,
      first.name,
    );
}

function checkDistinct(parts: readonly Dataset[]): void {
  const splitOf = new Map<string, string>();
  for (const { split, samples } of parts)
    for (const { image } of samples) {
      const other = splitOf.get(image);
      if (other !== undefined)
        throw new DataError(
          `joinSplits(): ${image} is in ${other} and in ${split}; join splits that share no image`,
          image,
        );
      splitOf.set(image, split);
    }
}

/** A name that another part has too begins with its split. */
function ownNameOf(part: Dataset, parts: readonly Dataset[]): (name: string) => string {
  const others = parts.filter((other) => other !== part);
  const taken = new Set(others.flatMap(({ samples }) => samples.map(({ name }) => name)));
  return (name) => (taken.has(name) ? `${part.split}__${name}` : name);
}
