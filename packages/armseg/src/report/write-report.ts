import fs from "node:fs";
import { resolve, sep } from "node:path";
import { writeFileAtomically } from "../core/atomic-file.ts";
import { type RunContents, readRun } from "../runs/read-run.ts";
import { recordsOfKind } from "../runs/records.ts";
import { comparisonReport } from "./comparison.ts";
import { reportHtml } from "./report.ts";
import { type ReportData, reportData } from "./report-data.ts";

/**
 * Writes `report.html` into a run folder, from that folder's files alone; the run may still be going on.
 *
 * @returns The report's path.
 * @throws If the folder holds no run, or a file in it is damaged.
 */
export function writeReport(folder: string): string {
  const contents = readRun(folder);
  writeFileAtomically(contents.paths.report, reportHtml(withImages(contents)));
  return contents.paths.report;
}

/**
 * Writes a page that compares several runs.
 *
 * @param path - The page to write.
 * @param folders - Run folders; differences are to the first.
 * @throws If a folder holds no run, or a file in it is damaged.
 */
export function writeComparison(path: string, title: string, folders: readonly string[]): void {
  const runs = folders.map((folder) => withImages(readRun(folder)));
  writeFileAtomically(path, comparisonReport(title, runs));
}

function withImages(contents: RunContents): ReportData {
  const files = recordsOfKind(contents.records, "sample").flatMap((sample) => Object.values(sample.files));
  const images = [...new Set(files)].flatMap((file): [string, Uint8Array][] => {
    const png = readInside(contents.paths.figures, resolve(contents.paths.folder, file));
    return png === undefined ? [] : [[file, png]];
  });
  return reportData(contents, new Map(images));
}

/** A run folder may come from anywhere: its records must not draw other files of this machine into the report. */
function readInside(folder: string, path: string): Uint8Array | undefined {
  if (!fs.existsSync(path)) return undefined;
  const inside = fs.realpathSync(path).startsWith(fs.realpathSync(folder) + sep);
  return inside ? fs.readFileSync(path) : undefined;
}
