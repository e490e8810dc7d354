import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DataError } from "../data/data-error.ts";
import { writeLabelPng } from "../data/drawing/label-png.ts";
import { listFiles, MASK_FILE } from "../data/formats/list-files.ts";
import { readRawMask } from "../data/labels/raw-mask.ts";
import { readLabel } from "../data/labels/read-label.ts";
import { type ClassInfo, IGNORE_INDEX, type LabelMap } from "../data/sample.ts";
import { type CoarsenOptions, coarsen } from "./coarsen.ts";
import { writePolygonJson } from "./polygon-json.ts";
import { type CoarsenStatistics, type CoarsePair, Tally } from "./statistics.ts";

/** How to coarsen a folder. */
export interface CoarsenFolderOptions {
  /** Names and colours. Default: `class 0` to `class 254`, in the colours of the first PNG's palette if it has one. */
  readonly classes?: readonly ClassInfo[];
  /** What the PNGs' values or colours mean. Default: class indices, 255 ignored. */
  readonly labelMap?: LabelMap;
  /** Default `cityscapes`. */
  readonly preset?: CoarsenOptions["preset"];
  readonly seed: number;
  /** Files read and written at a time. Default 4. The drawing itself takes one core. */
  readonly concurrency?: number;
  /** Called after each file. */
  readonly onProgress?: (done: number, count: number) => void;
}

/**
 * Coarsens every label PNG of a folder: indexed PNGs and polygon files in Cityscapes' form, under the same names.
 *
 * @param labels - Folder of label PNGs, searched with its sub-folders.
 * @param out - Folder for `labels/` (PNGs) and `polygons/` (JSON); must be empty or not exist.
 * The index of a file, which seeds it, is its place in the sorted list of files.
 *
 * @returns The statistics of what was written; print them with `coarsenText`.
 * @throws {DataError} If there is no PNG, one cannot be read or holds a value outside the label map, or `out` holds something.
 */
export async function coarsenFolder(
  labels: string,
  out: string,
  options: CoarsenFolderOptions,
): Promise<CoarsenStatistics> {
  const { concurrency = 4, onProgress } = options;
  if (existsSync(out) && readdirSync(out).length > 0) {
    throw new DataError(
      `coarsenFolder(): ${out} is not empty and is not overwritten; choose another folder.`,
      out,
    );
  }
  const files = await listFiles(labels, MASK_FILE);
  if (files.length === 0) {
    throw new DataError(`coarsenFolder(): expected label PNGs in ${labels}, found none.`, labels);
  }
  const classes = options.classes ?? (await unnamedClasses(join(labels, files[0]!)));
  const tally = new Tally(classes.length);
  let next = 0;
  let done = 0;
  const work = async (): Promise<void> => {
    while (next < files.length) {
      const index = next++;
      const file = files[index]!;
      const pair = await coarsenFile(join(labels, file), index, classes, options);
      tally.add(pair);
      const stem = file.slice(0, -".png".length);
      const { fine, coarse, polygons } = pair;
      writeLabelPng(join(out, "labels", `${stem}.png`), coarse, classes);
      writePolygonJson(join(out, "polygons", `${stem}.json`), polygons, [fine.height, fine.width], classes);
      onProgress?.(++done, files.length);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(concurrency, files.length)) }, work));
  return tally.result(classes);
}

async function coarsenFile(
  path: string,
  index: number,
  classes: readonly ClassInfo[],
  { preset, seed, labelMap = indexMap(classes.length) }: CoarsenFolderOptions,
): Promise<Required<CoarsePair>> {
  const fine = await readLabel({ kind: "mask", path, labelMap });
  const options = { seed, index, numClasses: classes.length };
  const { label, polygons } = coarsen(fine, preset === undefined ? options : { ...options, preset });
  return { fine, coarse: label, polygons };
}

/** A class for every value but 255, in the colours of a PNG's palette or grey. */
async function unnamedClasses(path: string): Promise<ClassInfo[]> {
  const { palette } = await readRawMask(path);
  return Array.from({ length: IGNORE_INDEX }, (_, i) => ({
    name: `class ${i}`,
    color: [palette?.[3 * i] ?? i, palette?.[3 * i + 1] ?? i, palette?.[3 * i + 2] ?? i],
  }));
}

function indexMap(classCount: number): LabelMap {
  const entries = Array.from({ length: classCount }, (_, i) => [i, i]);
  return { encoding: "values", classes: Object.fromEntries([...entries, [IGNORE_INDEX, IGNORE_INDEX]]) };
}
