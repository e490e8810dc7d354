import { checkClasses, openData, sharedNames } from "../config/open-data.ts";
import type { Config } from "../config/schema.ts";
import { evenlySpaced } from "../core/evenly-spaced.ts";
import { readLabel } from "../data/labels/read-label.ts";
import { readImage } from "../data/read-image.ts";
import type { Dataset } from "../data/sample.ts";
import { isUsable } from "../data/scan/problems.ts";
import { type ScanResult, scan } from "../data/scan/scan.ts";
import { scanText } from "../data/scan/scan-text.ts";
import { type LabelledImage, writeSamplePage } from "./preview.ts";

export interface CheckDataOptions {
  /** HTML file for samples with their labels. Default: none. */
  readonly preview?: string;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface DataCheck {
  /** Whether a training may start. */
  readonly isUsable: boolean;
  readonly train: ScanResult;
  readonly val: ScanResult;
  /** Names that are in both splits: scores on them mean little. */
  readonly shared: readonly string[];
  /** The file with samples. */
  readonly preview: string | null;
}

const SAMPLES_PER_SPLIT = 4;

/**
 * Reads every file of both splits and counts what is in them.
 *
 * @throws {DataError} If a folder or list is missing, so that there is nothing to scan.
 * @throws {ConfigError} If the splits differ in classes.
 */
export async function checkData(data: Config["data"], options: CheckDataOptions = {}): Promise<DataCheck> {
  const [train, val] = [await openData(data, "train"), await openData(data, "val")];
  checkClasses(train, val);
  const total = train.samples.length + val.samples.length;
  const scanFrom = (dataset: Dataset, before: number) =>
    scan(dataset, { onProgress: (done) => options.onProgress?.(before + done, total) });
  const found = { train: await scanFrom(train, 0), val: await scanFrom(val, train.samples.length) };
  return {
    isUsable: isUsable(found.train, "training") && isUsable(found.val, "reading"),
    ...found,
    shared: sharedNames(train, val),
    preview: options.preview === undefined ? null : await previewOf(options.preview, [train, val]),
  };
}

async function previewOf(path: string, datasets: readonly Dataset[]): Promise<string> {
  const samples: LabelledImage[] = [];
  for (const dataset of datasets) {
    for (const sample of evenlySpaced(
      dataset.samples.filter(({ annotation }) => annotation),
      SAMPLES_PER_SPLIT,
    )) {
      const image = await readImage(sample.image, { range: sample.imageRange }).catch(() => null);
      const label =
        image && (await readLabel(sample.annotation!, [image.height, image.width]).catch(() => null));
      // What cannot be read is told by the scan.
      if (image && label) samples.push({ name: `${dataset.split}: ${sample.name}`, image, label });
    }
  }
  const { name, classes } = datasets[0]!;
  return await writeSamplePage(path, `Samples of ${name}`, samples, classes);
}

/** Returns both scans as text, with the verdict at the end. */
export function checkText({ isUsable, train, val, shared, preview }: DataCheck): string {
  const both =
    shared.length > 0
      ? [`warning: ${shared.length} images are in both splits, e.g. ${shared[0]}; scores on them mean little`]
      : [];
  const hasWarnings = [train, val].some(({ problems }) => problems.length > 0) || both.length > 0;
  const fit = hasWarnings ? "Fit to train on, but read the warnings above first." : "Fit to train on.";
  const verdict = isUsable ? fit : "Not fit to train on: fix the errors above first.";
  return [
    scanText(train),
    scanText(val, "reading"),
    ...both,
    ...(preview ? [`Wrote ${preview}.`] : []),
    verdict,
  ].join("\n");
}
