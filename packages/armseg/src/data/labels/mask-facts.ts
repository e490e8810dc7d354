import type { RawMask } from "./raw-mask.ts";
import { isGreyColor, shownColor } from "./shown-color.ts";

/** What one mask file holds, as far as it takes to compare it with the others of a data set. */
export interface MaskFacts {
  readonly path: string;
  /** How many files are summed up here, of which `path` is the first. Default 1. */
  readonly files?: number;
  readonly mode: RawMask["mode"];
  readonly bitDepth: number;
  /** The raw values that occur, ascending; none for RGB masks of more than {@link MOST_COLORS} colours. */
  readonly values: readonly number[];
  /** The colour of each value as a viewer shows it, `r << 16 | g << 8 | b`. */
  readonly shown: readonly number[];
}

/** Masks of more colours are photographs or smoothed; their colours are not kept. */
export const MOST_COLORS = 1024;

/** Returns the facts of a mask. @param values - The raw values that occur in it. */
export function maskFacts(path: string, mask: RawMask, values: Iterable<number>): MaskFacts {
  const sorted = [...values].sort((a, b) => a - b);
  const kept = mask.mode === "rgb" && sorted.length > MOST_COLORS ? [] : sorted;
  const shown = kept.map((value) => shownColor(mask, value));
  return { path, mode: mask.mode, bitDepth: mask.bitDepth, values: kept, shown };
}

/** Returns the grey values of a mask that is grey or an RGB mask of grey colours; undefined for others. */
export function greyValues({ mode, values }: MaskFacts): readonly number[] | undefined {
  if (mode === "grey") return values;
  if (mode === "palette" || values.length === 0 || !values.every(isGreyColor)) return undefined;
  return values.map((color) => color & 255);
}

/** Returns the files as a message names them: the first, and how many more. */
export function named(groups: readonly Pick<MaskFacts, "path" | "files">[]): string {
  const count = groups.reduce((sum, { files = 1 }) => sum + files, 0);
  return count > 1 ? `${groups[0]!.path} and ${count - 1} more` : `${groups[0]?.path}`;
}
