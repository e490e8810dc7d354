import fs from "node:fs";
import { resolve, sep } from "node:path";
import { writeFileAtomically } from "../core/atomic-file.ts";
import { stringifyExactly } from "../core/json-numbers.ts";
import type { Comparison } from "../core/statistics.ts";
import { type RunContents, readRun } from "../runs/read-run.ts";
import { recordsOfKind } from "../runs/records.ts";
import { comparisonReport } from "./comparison.ts";
import { details, page, section } from "./page.ts";
import { type ReportData, reportData } from "./report-data.ts";
import { classes } from "./sections/classes.ts";
import { confusion } from "./sections/confusion.ts";
import { samples } from "./sections/samples.ts";
import { summary } from "./sections/summary.ts";
import { training } from "./sections/training.ts";
import { weightCurve } from "./sections/weight-curve.ts";

/**
 * Writes `report.html` into a run folder, from that folder's files alone; the run may still be going on.
 *
 * @returns The report's path.
 * @throws If the folder holds no run, or a file in it is damaged.
 */
export function writeReport(folder: string): string {
  const contents = readRun(folder);
  writeFileAtomically(
    contents.paths.report,
    namingRun(contents, () => reportHtml(withImages(contents))),
  );
  return contents.paths.report;
}

/**
 * Writes a page that compares several runs.
 *
 * @param path - The page to write.
 * @param folders - Run folders; differences are to the first.
 * @param options.names - What the runs are called. Default: their folders' names, with what lies before them where those are alike.
 * @param options.comparisons - Scores over seeds, shown first.
 * @throws If a folder holds no run, or a file in it is damaged.
 */
export function writeComparison(
  path: string,
  title: string,
  folders: readonly string[],
  options: { readonly names?: readonly string[]; readonly comparisons?: readonly Comparison[] } = {},
): void {
  const { names = distinctNames(folders), comparisons = [] } = options;
  const runs = folders.map((folder, i) => {
    const contents = readRun(folder);
    return { ...namingRun(contents, () => withImages(contents)), name: names[i]! };
  });
  writeFileAtomically(path, comparisonReport(title, runs, comparisons));
}

/** Records are read as they are, and are damaged where a report cannot be made of them. */
function namingRun<T>({ paths }: RunContents, body: () => T): T {
  try {
    return body();
  } catch (cause) {
    throw new Error(
      `writeReport(): expected the records of a run in ${paths.metrics}, got some that no report can be made of (${(cause as Error).message}); restore the file from a copy`,
      { cause },
    );
  }
}

/** The last parts of paths, as many as it takes to tell them apart. */
function distinctNames(folders: readonly string[]): string[] {
  const parts = folders.map((folder) => resolve(folder).split(sep));
  const longest = Math.max(...parts.map(({ length }) => length));
  for (let count = 1; count < longest; count++) {
    const names = parts.map((own) => own.slice(-count).join("/"));
    if (new Set(names).size === names.length) return names;
  }
  return [...folders];
}

/** Returns the report of a run as one HTML page that needs nothing from outside. What the run does not have is left out. */
export function reportHtml(data: ReportData): string {
  const sections = [summary, training, weightCurve, samples, classes, confusion, environment];
  return page(`${data.name} – armseg`, ...sections.map((render) => render(data)));
}

/** Returns what is needed to repeat the run: configuration, machine, what happened on the way. */
function environment(data: ReportData): string {
  const notes = data.events.map(({ iteration, event, message }) => `${iteration}  ${event}  ${message}`);
  const starts = data.environments.map((start) => JSON.stringify(start, null, 2));
  const evaluations = data.evaluations.map(({ confusion: _, ...scores }) => stringifyExactly(scores));
  return section(
    "Environment",
    details("Resolved configuration", data.config),
    details(`Environment (${starts.length} starts)`, starts.join("\n")),
    details(`Events (${notes.length})`, lastLines(notes, 500)),
    details(`Evaluations (${evaluations.length}), as in metrics.jsonl`, evaluations.join("\n")),
  );
}

function lastLines(lines: readonly string[], count: number): string {
  const left = lines.length - count;
  return [...(left > 0 ? [`${left} earlier ones are in metrics.jsonl`] : []), ...lines.slice(-count)].join(
    "\n",
  );
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
