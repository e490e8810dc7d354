import { join } from "node:path";
import { mapConcurrently } from "../core/concurrently.ts";
import { DataError } from "./data-error.ts";
import { type BlackArea, blackArea, joinedArea, NO_AREA } from "./labels/black-area.ts";
import { addBorders, type BorderCounts, countBorders } from "./labels/border-values.ts";
import { countValues } from "./labels/inspect-label.ts";
import { type MaskFacts, MOST_COLORS, maskFacts } from "./labels/mask-facts.ts";
import { type RawMask, readRawMask } from "./labels/raw-mask.ts";
import { shownColor } from "./labels/shown-color.ts";

/** What all masks of a folder hold. */
export interface Survey {
  readonly files: readonly MaskFacts[];
  /** `[height, width]` of each mask, upright, in the order of the files. */
  readonly sizes: readonly (readonly [number, number])[];
  /** How often values occur inside areas, over some of the files. */
  readonly borders: BorderCounts;
  /** What is black, over the same files. */
  readonly black: BlackArea;
  /** Files with pixels whose alpha is 0. */
  readonly transparent: readonly string[];
  /** Colours that are seen in one place and hidden under alpha 0 in another, as an eraser leaves them. */
  readonly erased: readonly number[];
}

const FILES_AT_ONCE = 4;
/** So many masks, evenly spread, are looked at for smoothing and for what black means. */
const LOOKED_AT = 32;

/**
 * Reads all masks of a folder.
 *
 * @throws {DataError} If one cannot be read, or has as many colours as a photograph.
 */
export async function surveyMasks(folder: string, masks: readonly string[]): Promise<Survey> {
  const borders: BorderCounts = new Map();
  let black = NO_AREA;
  const step = Math.ceil(masks.length / LOOKED_AT);
  const found = await mapConcurrently(masks, FILES_AT_ONCE, async (file, index) => {
    const path = join(folder, file);
    const mask = await readRawMask(path, { inBackground: true });
    const values = [...countValues(mask).keys()];
    if (values.length > MOST_COLORS && mask.mode === "rgb") throw photograph(path, values.length);
    if (index % step === 0) {
      addBorders(borders, countBorders(mask));
      black = joinedArea(black, blackArea(mask));
    }
    return { facts: maskFacts(path, mask, values), size: uprightSize(mask), alpha: alphaColors(mask) };
  });
  const seen = new Set(found.flatMap(({ alpha, facts }) => (alpha ? alpha.seen : facts.shown)));
  const hidden = new Set(found.flatMap(({ alpha }) => alpha?.hidden ?? []));
  return {
    files: found.map(({ facts }) => facts),
    sizes: found.map(({ size }) => size),
    borders,
    black,
    transparent: found.flatMap(({ alpha, facts }) => (alpha ? [facts.path] : [])),
    erased: [...hidden].filter((color) => seen.has(color)),
  };
}

function photograph(path: string, colors: number): DataError {
  return new DataError(
    `surveyMasks(): expected a mask of a few colours, got ${colors} colours in ${path}: a photograph, or a mask that was smoothed or compressed; save masks as PNG without smoothing (nearest neighbour)`,
    path,
  );
}

function uprightSize({ height, width, orientation }: RawMask): readonly [number, number] {
  return orientation >= 5 ? [width, height] : [height, width];
}

/** The colours that are seen and those that alpha 0 hides; undefined where nothing is transparent. */
function alphaColors(mask: RawMask): { seen: number[]; hidden: number[] } | undefined {
  if (!mask.transparent) return undefined;
  const under = (alphaIsZero: 0 | 1): number[] =>
    [...countValues(mask, mask.transparent, alphaIsZero).keys()].map((value) => shownColor(mask, value));
  return { seen: under(0), hidden: under(1) };
}
