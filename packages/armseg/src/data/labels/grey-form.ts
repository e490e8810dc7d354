import { greyValues, type MaskFacts, named } from "./mask-facts.ts";

/** What the values of a data set's masks are. */
export type GreyForm =
  /** Class numbers; 255 is what many write for ignored pixels. */
  | { readonly kind: "numbers" }
  /** Two or a few levels from black to white, chosen to be seen: white is a class as the others are. */
  | { readonly kind: "black to white"; readonly levels: readonly number[] }
  /** Files that write one class as different values. */
  | { readonly kind: "mixed"; readonly mixture: Mixture };

/** Two groups of files, in which two values look alike or stand for the same. */
export interface Mixture {
  /** `depths` of grey, or two-valued masks of 0 and 1 beside those of 0 and 255. */
  readonly of: "depths" | "pairs";
  /** A value of the first group and the one that stands for the same in the second. */
  readonly alike: readonly (readonly [number, number])[];
  /** What differs, naming a file of each group. */
  readonly text: string;
}

/** What to do about a {@link Mixture}, without and with a configuration. */
export const MIXTURE_REMEDY =
  "save all masks in one form, or set labels.threshold (two-valued masks), or map both values to one class in labels.map";

const WHITE = 255;
/** Levels that are further apart were chosen to be told apart on a screen; class numbers are counted from 0. */
const SHADE_GAP = 32;

/**
 * Says what the values of masks are: the one rule for two-valued masks (0 and 255, 0 and 1, or both), for few grey levels and
 * for grey masks of several bit depths. The starter, the scan and the coarsening all ask it.
 *
 * @param files - All masks of a data set, or of a split.
 */
export function greyForm(files: readonly MaskFacts[]): GreyForm {
  const mixture = mixedDepths(files) ?? mixedPairs(files);
  if (mixture) return { kind: "mixed", mixture };
  const levels = levelsOf(files);
  return areShades(levels, whiteOf(files)) ? { kind: "black to white", levels } : { kind: "numbers" };
}

/** The values of all files, those of RGB masks as the grey they are; none if a file has colours. */
function levelsOf(files: readonly MaskFacts[]): number[] {
  const levels = new Set<number>();
  for (const file of files) {
    const own = file.mode === "palette" ? file.values : greyValues(file);
    if (!own) return [];
    for (const value of own) levels.add(value);
  }
  return [...levels].sort((a, b) => a - b);
}

/** The value that a viewer shows in white. */
function whiteOf(files: readonly MaskFacts[]): number {
  const depth = files[0]?.mode === "grey" ? files[0].bitDepth : 8;
  return 2 ** depth - 1;
}

function areShades(levels: readonly number[], white: number): boolean {
  if (levels.length < 2 || levels[0] !== 0 || levels.at(-1) !== white) return false;
  return levels.slice(1).every((level, i) => (level - levels[i]!) / white >= SHADE_GAP / WHITE);
}

/** Grey files of fewer than 8 bits beside others: viewers spread their values, so that a white pixel is 1 here and 255 there. */
function mixedDepths(files: readonly MaskFacts[]): Mixture | undefined {
  const grey = files.filter(({ mode, bitDepth }) => mode === "grey" && bitDepth <= 8);
  const most = Math.max(...grey.map(({ bitDepth }) => bitDepth));
  const deep = grey.filter(({ bitDepth }) => bitDepth === most);
  const shallow = grey.filter(({ bitDepth, values }) => bitDepth < most && values.some((value) => value > 0));
  const [first] = shallow;
  if (!first) return undefined;
  const alike = shallow.flatMap(({ bitDepth, values }) =>
    values.map((value) => [value, (value * (2 ** most - 1)) / (2 ** bitDepth - 1)] as const),
  );
  return {
    of: "depths",
    alike,
    text: `grey masks of ${first.bitDepth} and of ${most} bits per pixel: white is ${2 ** first.bitDepth - 1} in ${named(shallow)}, ${2 ** most - 1} in ${named(deep)}`,
  };
}

/** Files of 0 and 1 beside files of 0 and 255, and none with both 1 and 255: two tools wrote them, or 255 is ignored in some. */
function mixedPairs(files: readonly MaskFacts[]): Mixture | undefined {
  const has = (values: readonly number[], value: number): boolean => values.includes(value);
  const grey = files.flatMap((file) => {
    const values = file.mode === "palette" ? file.values : greyValues(file);
    return [{ path: file.path, files: file.files ?? 1, values: values ?? [-1] }];
  });
  if (!grey.every(({ values }) => values.every((value) => value === 0 || value === 1 || value === WHITE)))
    return undefined;
  const ones = grey.filter(({ values }) => has(values, 1) && !has(values, WHITE));
  const whites = grey.filter(({ values }) => has(values, 0) && has(values, WHITE) && !has(values, 1));
  const isBoth = grey.some(({ values }) => has(values, 1) && has(values, WHITE));
  if (ones.length === 0 || whites.length === 0 || isBoth) return undefined;
  return {
    of: "pairs",
    alike: [[1, WHITE]],
    text: `masks of 0 and 1 (${named(ones)}) beside masks of 0 and 255 (${named(whites)}): the foreground has two values, or 255 means ignored`,
  };
}
