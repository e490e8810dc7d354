import { existsSync } from "node:fs";
import { checkClasses, openData, sharedNames } from "../config/open-data.ts";
import type { Config } from "../config/schema.ts";
import type { Dataset } from "../data/sample.ts";
import { compareSplits } from "../data/scan/compare-splits.ts";
import { isUsable, type Problem } from "../data/scan/problems.ts";
import { type ScanResult, scan } from "../data/scan/scan.ts";
import { problemLines, scanText } from "../data/scan/scan-text.ts";
import { type ScannedSplit, writeCheckPage } from "./check-data-page.ts";
import { SampleChooser } from "./check-data-samples.ts";

export interface CheckDataOptions {
  /** HTML file for samples with their labels, counts and problems. Default: none. */
  readonly html?: string;
  /** Names the random choice of the samples that the page shows. Default 0. */
  readonly seed?: number;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface DataCheck {
  /** Whether a training may start. */
  readonly isUsable: boolean;
  readonly train: ScanResult;
  readonly val: ScanResult;
  /** What is wrong with the masks of both splits together, and with neither alone. */
  readonly between: readonly Problem[];
  /** Names that are in both splits: scores on them mean little. */
  readonly shared: readonly string[];
  /** The page. */
  readonly html: string | null;
}

/** A dozen at random of both splits together. */
const SHOWN = { train: { random: 8, extreme: 4 }, val: { random: 4, extreme: 2 } };

/**
 * Reads every file of both splits and counts what is in them.
 *
 * @throws {DataError} If a folder or list is missing, so that there is nothing to scan.
 * @throws {ConfigError} If the splits differ in classes.
 * @throws {Error} If the page exists; nothing is read then.
 */
export async function checkData(data: Config["data"], options: CheckDataOptions = {}): Promise<DataCheck> {
  const { html, seed = 0, onProgress } = options;
  if (html !== undefined && existsSync(html))
    throw new Error(`checkData(): ${html} exists and is not overwritten; choose another place or remove it`);
  const [train, val] = [await openData(data, "train"), await openData(data, "val")];
  checkClasses(train, val);
  const total = train.samples.length + val.samples.length;
  const scanned = async (dataset: Dataset, own: "train" | "val", before: number): Promise<ScannedSplit> => {
    const chooser = new SampleChooser(seed, SHOWN[own]);
    const result = await scan(dataset, {
      onProgress: (done) => onProgress?.(before + done, total),
      onInspected: (sample, inspection) => chooser.add(sample, inspection),
    });
    return { dataset, purpose: own === "train" ? "training" : "reading", result, chooser };
  };
  const splits = [await scanned(train, "train", 0), await scanned(val, "val", train.samples.length)] as const;
  const between = compareSplits(...splits);
  const found = {
    isUsable:
      splits.every(({ result, purpose }) => isUsable(result, purpose)) &&
      isUsable({ problems: between }, "reading"),
    train: splits[0].result,
    val: splits[1].result,
    between,
    shared: sharedNames(train, val),
  };
  if (html === undefined) return { ...found, html: null };
  const verdict = {
    isUsable: found.isUsable,
    verdict: verdictOn(found),
    between,
    warnings: sharedWarnings(found),
  };
  return { ...found, html: await writeCheckPage(html, splits, verdict) };
}

/** Returns both scans as text, with the verdict at the end. */
export function checkText(check: DataCheck): string {
  const { train, val, between, html } = check;
  return [
    scanText(train),
    scanText(val, "reading"),
    ...(between.length > 0
      ? [`${train.split} and ${val.split} together:`, ...problemLines(between, "reading"), ""]
      : []),
    ...sharedWarnings(check).map((text) => `warning: ${text}`),
    ...(html ? [`Wrote ${html}: look whether labels are in their places.`] : []),
    verdictOn(check),
  ].join("\n");
}

function sharedWarnings({ shared }: Pick<DataCheck, "shared">): string[] {
  if (shared.length === 0) return [];
  return [`${shared.length} images are in both splits, e.g. ${shared[0]}; scores on them mean little`];
}

function verdictOn({ isUsable, train, val, between, shared }: Omit<DataCheck, "html">): string {
  if (!isUsable) return "Not fit to train on: fix the errors first.";
  const hasWarnings = [train.problems, val.problems, between, shared].some(({ length }) => length > 0);
  return hasWarnings ? "Fit to train on, but read the warnings first." : "Fit to train on.";
}
