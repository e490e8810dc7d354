import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { writeLabelPng } from "../../drawing/label-png.ts";
import { DataError } from "../data-error.ts";
import { listFiles, MASK_FILE } from "../list-files.ts";
import { readLabel } from "../read-label.ts";
import { type ClassInfo, IGNORE_INDEX, type LabelMap } from "../sample.ts";
import { type CoarsenOptions, coarsen } from "./coarsen.ts";
import { writePolygonJson } from "./polygon-json.ts";
import { type CoarsenStatistics, Tally } from "./statistics.ts";

/** What to coarsen, and where to. */
export interface CoarsenFolderOptions {
  /** Folder of label PNGs, searched with its sub-folders. */
  readonly labels: string;
  /** Folder for `labels/**.png` and `polygons/**.json`; must be empty or not exist. */
  readonly out: string;
  readonly classes: readonly ClassInfo[];
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
 * The index of a file, which seeds it, is its place in the sorted list of files.
 *
 * @returns The statistics of what was written; print them with `coarsenTable`.
 * @throws {DataError} If there is no PNG, one cannot be read or holds a value outside the label map, or `out` holds something.
 */
export async function coarsenFolder(options: CoarsenFolderOptions): Promise<CoarsenStatistics> {
  const { labels, out, classes, concurrency = 4, onProgress } = options;
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
  const tally = new Tally(classes.length);
  let next = 0;
  let done = 0;
  const work = async (): Promise<void> => {
    while (next < files.length) {
      const index = next++;
      await coarsenFile(options, files[index]!, index, tally);
      onProgress?.(++done, files.length);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(concurrency, files.length)) }, work));
  return tally.result(classes);
}

async function coarsenFile(
  { labels, out, classes, preset, seed, labelMap = indexMap(classes.length) }: CoarsenFolderOptions,
  file: string,
  index: number,
  tally: Tally,
): Promise<void> {
  const fine = await readLabel({ kind: "mask", path: join(labels, file), labelMap });
  const options = { seed, index, numClasses: classes.length };
  const { label, polygons } = coarsen(fine, preset === undefined ? options : { ...options, preset });
  tally.add({ fine, coarse: label, polygons });
  const stem = file.slice(0, -".png".length);
  writeLabelPng(join(out, "labels", `${stem}.png`), label, classes);
  writePolygonJson(join(out, "polygons", `${stem}.json`), polygons, [fine.height, fine.width], classes);
}

function indexMap(classCount: number): LabelMap {
  const entries = Array.from({ length: classCount }, (_, i) => [i, i]);
  return { encoding: "values", classes: Object.fromEntries([...entries, [IGNORE_INDEX, IGNORE_INDEX]]) };
}
