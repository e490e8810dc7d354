import { join } from "node:path";
import { IGNORE_INDEX } from "../core/ignore-index.ts";
import { DataError } from "../data/data-error.ts";
import { smoothedValues } from "../data/labels/border-values.ts";
import { greyForm } from "../data/labels/grey-form.ts";
import { readRawMask } from "../data/labels/raw-mask.ts";
import type { ClassInfo, LabelMap } from "../data/sample.ts";
import { type Survey, surveyMasks } from "../data/survey-masks.ts";

/** What the values of fine label PNGs mean. */
export interface FineLabels {
  readonly classes: readonly ClassInfo[];
  readonly labelMap: LabelMap;
  /** What is written has other values than what was read: 255 is a class there, and ignored in coarse labels. */
  readonly isRenumbered: boolean;
}

/**
 * Returns what the values of fine label PNGs mean. Where no label map says it, they are class numbers with 255 ignored, or levels from black
 * to white, of which each is a class.
 *
 * @param known.classes - Names and colours. Default: numbered ones, in the colours of the first PNG's palette.
 * @param known.names - Names of the numbered classes, in place of `class 0` and so on; there are then no others.
 * @param known.labelMap - Values to classes, taken as it is.
 * @throws {DataError} If masks cannot be read, write one class as several values, or were smoothed.
 */
export async function fineLabels(
  folder: string,
  files: readonly string[],
  known: Partial<Pick<FineLabels, "classes" | "labelMap">> & { readonly names?: readonly string[] },
): Promise<FineLabels> {
  const { classes, labelMap, names } = known;
  const named = classes ?? (await numberedClasses(join(folder, files[0]!), names));
  if (labelMap) return { classes: named, labelMap, isRenumbered: false };
  const survey = await surveyMasks(folder, files);
  checkForms(survey, folder);
  const form = greyForm(survey.files);
  // Other classes than there are levels: somebody knows better.
  if (form.kind === "black to white" && (!classes || classes.length === form.levels.length))
    return levelLabels(form.levels, classes);
  return { classes: named, labelMap: indexMap(named.length), isRenumbered: false };
}

function checkForms({ files, borders }: Survey, folder: string): void {
  const form = greyForm(files);
  if (form.kind === "mixed")
    throw new DataError(
      `coarsenFolder(): expected one form of mask, got ${form.mixture.text}; save all masks in one form`,
      folder,
    );
  const isGrey = files.every(({ mode }) => mode === "grey");
  const smoothing = isGrey ? smoothedValues(borders, true) : undefined;
  if (smoothing)
    throw new DataError(
      `coarsenFolder(): expected masks without smoothing, got ${smoothing.borders.length} grey levels in ${folder} that occur at borders only; save masks as PNG without smoothing (nearest neighbour), or with a threshold`,
      folder,
    );
}

function levelLabels(levels: readonly number[], known: readonly ClassInfo[] | undefined): FineLabels {
  const classes = known ?? levels.map((level) => levelClass(level, levels.length));
  const entries = levels.map((level, i) => [level, i]);
  return {
    classes,
    labelMap: { encoding: "values", classes: Object.fromEntries(entries) },
    isRenumbered: true,
  };
}

function levelClass(level: number, count: number): ClassInfo {
  const shown = Math.round(level / (level > IGNORE_INDEX ? 257 : 1));
  const name = count > 2 ? `level ${level}` : level === 0 ? "background" : "foreground";
  return { name, color: [shown, shown, shown] };
}

/** A class for every value but 255, or for every name, in the colours of a PNG's palette or grey. */
async function numberedClasses(path: string, names?: readonly string[]): Promise<ClassInfo[]> {
  const { palette } = await readRawMask(path);
  return Array.from({ length: names?.length ?? IGNORE_INDEX }, (_, i) => ({
    name: names?.[i] ?? `class ${i}`,
    color: [palette?.[3 * i] ?? i, palette?.[3 * i + 1] ?? i, palette?.[3 * i + 2] ?? i],
  }));
}

/** The label map of values that are class indices, with 255 ignored. */
function indexMap(classCount: number): LabelMap {
  const entries = Array.from({ length: classCount }, (_, i) => [i, i]);
  return { encoding: "values", classes: Object.fromEntries([...entries, [IGNORE_INDEX, IGNORE_INDEX]]) };
}
