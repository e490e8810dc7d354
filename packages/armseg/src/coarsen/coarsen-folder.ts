import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../core/atomic-file.ts";
import { DataError } from "../data/data-error.ts";
import { writeLabelPng } from "../data/drawing/label-png.ts";
import { listFiles, MASK_FILE } from "../data/formats/list-files.ts";
import { readLabel } from "../data/labels/read-label.ts";
import type { ClassInfo, LabelMap } from "../data/sample.ts";
import { type CoarsenOptions, coarsen } from "./coarsen.ts";
import { type FineLabels, fineLabels } from "./fine-labels.ts";
import { writePolygonJson } from "./polygon-json.ts";
import { type CoarsenStatistics, type CoarsePair, StatisticsAccumulator } from "./statistics.ts";

/** How to coarsen a folder. */
export interface CoarsenFolderOptions {
  /** Names and colours. Default: `class 0` to `class 254`, in the colours of the first PNG's palette if it has one. */
  readonly classes?: readonly ClassInfo[];
  /** Names alone, in the order of the values; there are then no other classes. */
  readonly names?: readonly string[];
  /**
   * What the PNGs' values or colours mean. Default: class indices, 255 ignored; in masks that go from black to white in a few
   * levels, e.g. 0 and 255, each level is a class.
   */
  readonly labelMap?: LabelMap;
  /** Default `cityscapes`. */
  readonly preset?: CoarsenOptions["preset"];
  /** Share of the polygons, of every class, that are wrong. Default: as the preset says. */
  readonly wrong?: number;
  readonly seed: number;
  /** Files read and written at a time. Default 4. The drawing itself takes one core. */
  readonly concurrency?: number;
  /** Called after each file. */
  readonly onProgress?: (done: number, count: number) => void;
}

/** The statistics of a coarsened folder. */
export interface CoarsenFolderResult extends CoarsenStatistics {
  /** What was assumed about the labels, one sentence each. */
  readonly notes: readonly string[];
}

/**
 * Coarsens every label PNG of a folder: indexed PNGs and polygon files in Cityscapes' form, under the same names.
 *
 * @param labels - Folder of label PNGs, searched with its sub-folders.
 * Nothing is at `out` before all is written, so that a coarsening that was killed can simply be started again.
 *
 * @param out - Folder for `labels/` (PNGs), `polygons/` (JSON) and, where values had to be changed, `fine/` (the fine labels
 * with the same values); must be empty or not exist.
 * The index of a file, which seeds it, is its place in the sorted list of files.
 *
 * @returns The statistics of what was written; print them with `coarsenText`.
 * @throws {DataError} If there is no PNG, one cannot be read or holds a value outside the label map, or `out` holds something;
 * without a label map, if it cannot be told what the values mean.
 */
export async function coarsenFolder(
  labels: string,
  out: string,
  options: CoarsenFolderOptions,
): Promise<CoarsenFolderResult> {
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
  const meaning = await fineLabels(labels, files, options);
  const statistics = await makeFolder(out, (unfinished) =>
    coarsenFiles(labels, files, unfinished, meaning, options),
  );
  return { ...statistics, notes: meaning.isRenumbered ? [renumberedNote(meaning, out)] : [] };
}

async function coarsenFiles(
  labels: string,
  files: readonly string[],
  out: string,
  meaning: FineLabels,
  options: CoarsenFolderOptions,
): Promise<CoarsenStatistics> {
  const { concurrency = 4, onProgress } = options;
  const { classes, isRenumbered } = meaning;
  const accumulator = new StatisticsAccumulator(classes.length);
  let next = 0;
  let done = 0;
  const work = async (): Promise<void> => {
    while (next < files.length) {
      const index = next++;
      const file = files[index]!;
      const pair = await coarsenFile(join(labels, file), index, meaning, options);
      accumulator.add(pair);
      const stem = file.slice(0, -".png".length);
      const { fine, coarse, polygons } = pair;
      writeLabelPng(join(out, "labels", `${stem}.png`), coarse, classes);
      if (isRenumbered) writeLabelPng(join(out, "fine", `${stem}.png`), fine, classes);
      writePolygonJson(join(out, "polygons", `${stem}.json`), polygons, [fine.height, fine.width], classes);
      onProgress?.(++done, files.length);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(concurrency, files.length)) }, work));
  return accumulator.result(classes);
}

function renumberedNote({ labelMap, classes }: FineLabels, out: string): string {
  const map = Object.entries(labelMap.classes).map(
    ([value, i]) => `${value} is ${classes[i]!.name}, written as ${i}`,
  );
  const written = classes.map(({ name }, i) => `${i}: ${name}`);
  return `The masks go from black to white: ${map.join("; ")}; 255 is ignored in what was written. In labels.map: ${written.join(", ")}, 255: ignore. Validate on ${join(out, "fine")}, the fine labels with the same values.`;
}

async function coarsenFile(
  path: string,
  index: number,
  { classes, labelMap }: FineLabels,
  { preset, wrong, seed }: CoarsenFolderOptions,
): Promise<Required<CoarsePair>> {
  const fine = await readLabel({ kind: "mask", path, labelMap });
  const { label, polygons } = coarsen(fine, {
    seed,
    index,
    numClasses: classes.length,
    names: classes.map(({ name }) => name),
    ...(preset !== undefined && { preset }),
    ...(wrong !== undefined && { wrong }),
  });
  return { fine, coarse: label, polygons };
}
