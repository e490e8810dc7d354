import { availableParallelism } from "node:os";
import { mapConcurrently } from "../../core/concurrently.ts";
import { IGNORE_INDEX } from "../../core/ignore-index.ts";
import type { LabelInspection, ValueCount } from "../labels/inspect-label.ts";
import type { Dataset, Sample } from "../sample.ts";
import { fingerprint } from "./fingerprint.ts";
import { type Inspection, inspectSample } from "./inspect-sample.ts";
import { maskFindings } from "./mask-findings.ts";
import { type Finding, groupProblems, type Problem } from "./problems.ts";

export interface ScanOptions {
  /** Files in flight at once. Default: the processors available. */
  readonly concurrency?: number;
  readonly onProgress?: (done: number, total: number) => void;
  /** Called with what each sample's files hold, in the order in which they are read. */
  readonly onInspected?: (sample: Sample, inspection: Inspection) => void;
}

export interface ClassCount {
  readonly name: string;
  readonly pixels: number;
  /** Images with at least one pixel of the class. */
  readonly images: number;
  /** All valid pixels of those images. */
  readonly validPixelsOfImages: number;
}

/** What a scan of a split found. Plain data: it is cached as JSON. */
export interface ScanResult {
  readonly dataset: string;
  readonly split: string;
  readonly fingerprint: string;
  readonly samples: number;
  readonly labelled: number;
  /** `height x width` to number of images. */
  readonly sizes: Readonly<Record<string, number>>;
  /** Form of the labels to number of files. */
  readonly modes: Readonly<Record<string, number>>;
  /** The annotations' own values, in order. */
  readonly values: readonly ValueCount[];
  readonly classes: readonly ClassCount[];
  readonly ignoredPixels: number;
  readonly problems: readonly Problem[];
  readonly notes: readonly string[];
}

/** So many labels of a split, evenly spread, are looked at for smoothing: it is a matter of how all were saved. */
const LOOKED_AT_FOR_SMOOTHING = 32;
/** 16-bit images that fill a smaller share of their range were measured with 13 bits or less, and are read as so many levels fewer. */
const LEAST_SHARE_OF_16_BITS = 1 / 8;

/**
 * Reads every file of a split and counts what is in it, collecting problems instead of stopping at the first.
 *
 * Images are decoded in full, so truncated files show. Memory is bounded by `concurrency` images.
 *
 * @returns The counts and problems; {@link scanText} prints them.
 */
export async function scan(dataset: Dataset, options: ScanOptions = {}): Promise<ScanResult> {
  const hash = await fingerprint(dataset);
  let done = 0;
  const step = Math.ceil(dataset.samples.length / LOOKED_AT_FOR_SMOOTHING);
  const inspections = await mapConcurrently(
    dataset.samples,
    options.concurrency ?? availableParallelism(),
    async (sample, index) => {
      const inspection = await inspectSample(sample, { countsBorders: index % step === 0 });
      options.onInspected?.(sample, inspection);
      options.onProgress?.(++done, dataset.samples.length);
      return inspection;
    },
  );
  return summarise(dataset, hash, inspections);
}

function summarise(dataset: Dataset, hash: string, inspections: readonly Inspection[]): ScanResult {
  const labels = inspections.flatMap(({ label }) => label ?? []);
  const classes = countClasses(dataset, labels);
  const findings = [
    ...inspections.flatMap((inspection) => inspection.findings),
    ...maskFindings(dataset, labels),
    ...rangeFindings(dataset.samples, inspections),
    ...splitFindings(dataset, classes, labels.length),
    ...classesWithoutPixels(classes, labels.length),
    ...(dataset.problems ?? []).map(
      ({ kind, text, sample }): Finding => ({
        kind,
        text,
        ...(sample !== undefined && { samples: [sample] }),
      }),
    ),
    ...(dataset.unpaired ?? []).map((path): Finding => ({ kind: "file without a partner", text: path })),
  ];
  const values = sumValues(labels);
  return {
    dataset: dataset.name,
    split: dataset.split,
    fingerprint: hash,
    samples: dataset.samples.length,
    labelled: labels.length,
    sizes: tally(inspections.flatMap(({ size }) => (size ? [size.join("x")] : []))),
    modes: tally(labels.map(({ mode }) => mode)),
    values,
    classes,
    ignoredPixels: values.reduce((sum, { label, pixels }) => sum + (label === IGNORE_INDEX ? pixels : 0), 0),
    problems: groupProblems(findings),
    notes: dataset.notes,
  };
}

function countClasses(dataset: Dataset, labels: readonly LabelInspection[]): ClassCount[] {
  const counts = dataset.classes.map(({ name }) => ({ name, pixels: 0, images: 0, validPixelsOfImages: 0 }));
  for (const { values } of labels) {
    const own = new Map<number, number>();
    for (const { label, pixels } of values)
      if (label !== undefined && label !== IGNORE_INDEX && pixels > 0)
        own.set(label, (own.get(label) ?? 0) + pixels);
    const valid = [...own.values()].reduce((a, b) => a + b, 0);
    for (const [label, pixels] of own) {
      const count = counts[label];
      if (!count) continue;
      count.pixels += pixels;
      count.images++;
      count.validPixelsOfImages += valid;
    }
  }
  return counts;
}

function classesWithoutPixels(classes: readonly ClassCount[], labelled: number): Finding[] {
  if (labelled === 0) return [];
  return classes
    .filter(({ pixels }) => pixels === 0)
    .map(({ name }) => ({ kind: "class without a pixel", text: name }));
}

/** A split in which there is nothing to learn or to score. */
function splitFindings(dataset: Dataset, classes: readonly ClassCount[], labelled: number): Finding[] {
  const findings: Finding[] = [];
  if (dataset.classes.length === 1)
    findings.push({
      kind: "a single class",
      text: `${dataset.classes[0]!.name} is the only class, so that there is nothing to tell it from; name what is around it: a data.background (polygons), or a class for the value that is ignored now, e.g. 255 (masks)`,
    });
  const isEmpty = labelled > 0 && classes.every(({ pixels }) => pixels === 0);
  const hasLabels = dataset.samples.some(({ annotation }) => annotation);
  if (isEmpty || !hasLabels)
    findings.push({
      kind: "no valid pixel in the whole split",
      text: hasLabels
        ? `all pixels of ${dataset.split} are ignored or outside the label map; choose other samples, or map a value to a class in labels.map`
        : `no sample of ${dataset.split} has a label; choose a split with labels`,
    });
  return findings;
}

/** Of 16-bit images the upper eight bits are read: of those that use the lower ones only, a few grey levels are left. */
function rangeFindings(samples: readonly Sample[], inspections: readonly Inspection[]): Finding[] {
  const small = inspections.flatMap(({ values16 }, i) =>
    values16 && values16[1] - values16[0] < LEAST_SHARE_OF_16_BITS * 65536
      ? [{ ...samples[i]!, range: values16 }]
      : [],
  );
  const low = Math.min(...small.map(({ range }) => range[0]));
  const high = Math.max(...small.map(({ range }) => range[1]));
  return small.map(({ name, image, range }) => ({
    kind: "16-bit image that fills little of its range",
    samples: [name],
    text: `${image} has values of ${range[0]} to ${range[1]} of 65535, which leaves ${(range[1] >> 8) - (range[0] >> 8) + 1} of 256 levels; set data.imageRange: [${low}, ${Math.max(high, low + 1)}] (all such images here) or what your camera gives`,
  }));
}

function sumValues(labels: readonly LabelInspection[]): ValueCount[] {
  const sums = new Map<string, { value: string; label?: number; pixels: number }>();
  for (const { values } of labels)
    for (const { value, label, pixels } of values) {
      // Colours of panoptic segments may stand for one class here and another there.
      const key = `${value}/${label}`;
      const sum = sums.get(key);
      if (sum) sum.pixels += pixels;
      else sums.set(key, { value, pixels, ...(label !== undefined && { label }) });
    }
  return [...sums.values()].sort((a, b) => a.value.localeCompare(b.value, "en", { numeric: true }));
}

function tally(items: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[item] = (counts[item] ?? 0) + 1;
  return Object.fromEntries(Object.entries(counts).sort(([, a], [, b]) => b - a));
}
