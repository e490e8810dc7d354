import { openData } from "../config/open-data.ts";
import type { Config } from "../config/schema.ts";
import { writeRgbPng } from "../data/drawing/index.ts";
import { readLabel } from "../data/labels/read-label.ts";
import { readImage } from "../data/read-image.ts";
import type { Dataset } from "../data/sample.ts";
import { isUsable, type ScanResult, scan } from "../data/scan/scan.ts";
import { scanText } from "../data/scan/scan-text.ts";
import { type SheetSample, sampleSheet } from "./sample-sheet.ts";

export interface CheckDataOptions {
  /** File for a sheet of samples with their labels. Default: none. */
  readonly sheet?: string;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface DataCheck {
  /** Whether a training may start. */
  readonly isUsable: boolean;
  readonly train: ScanResult;
  readonly val: ScanResult;
  /** Names that are in both splits: scores on them mean little. */
  readonly shared: readonly string[];
  readonly sheet: string | null;
}

const SAMPLES_A_SPLIT = 4;

/**
 * Reads every file of both splits and counts what is in them.
 *
 * @throws {DataError} If a folder or list is missing, so that there is nothing to scan.
 */
export async function checkData(data: Config["data"], options: CheckDataOptions = {}): Promise<DataCheck> {
  const [train, val] = [await openData(data, "train"), await openData(data, "val")];
  const total = train.samples.length + val.samples.length;
  const scanFrom = (dataset: Dataset, before: number) =>
    scan(dataset, { onProgress: (done) => options.onProgress?.(before + done, total) });
  const found = { train: await scanFrom(train, 0), val: await scanFrom(val, train.samples.length) };
  const images = new Set(train.samples.map(({ image }) => image));
  return {
    isUsable: isUsable(found.train, "training") && isUsable(found.val, "reading"),
    ...found,
    shared: val.samples.flatMap(({ name, image }) => (images.has(image) ? [name] : [])),
    sheet: options.sheet === undefined ? null : await writeSheet(options.sheet, [train, val]),
  };
}

async function writeSheet(path: string, datasets: readonly Dataset[]): Promise<string> {
  const samples: SheetSample[] = [];
  for (const dataset of datasets) {
    for (const sample of spread(dataset.samples.filter(({ annotation }) => annotation))) {
      const image = await readImage(sample.image).catch(() => null);
      const label =
        image && (await readLabel(sample.annotation!, [image.height, image.width]).catch(() => null));
      // What cannot be read is told by the scan.
      if (image && label) samples.push({ name: `${dataset.split}: ${sample.name}`, image, label });
    }
  }
  await writeRgbPng(path, await sampleSheet(samples, datasets[0]!.classes));
  return path;
}

/** A few items, evenly spread. */
function spread<T>(items: readonly T[]): T[] {
  const count = Math.min(SAMPLES_A_SPLIT, items.length);
  return Array.from({ length: count }, (_, i) => items[Math.floor(((i + 0.5) * items.length) / count)]!);
}

/** Both scans as text, with the verdict at the end. */
export function checkText({ isUsable, train, val, shared, sheet }: DataCheck): string {
  const both =
    shared.length > 0
      ? [
          `warning: ${shared.length} pictures are in both splits, e.g. ${shared[0]}; scores on them mean little`,
        ]
      : [];
  const verdict = isUsable ? "Fit to train on." : "Not fit to train on: mend the errors above first.";
  return [scanText(train), scanText(val), ...both, ...(sheet ? [`Wrote ${sheet}.`] : []), verdict].join("\n");
}
