import { availableParallelism } from "node:os";
import { mapConcurrently } from "../../core/concurrently.ts";
import { type DataError, messageOf } from "../data-error.ts";
import { inspectLabel, type LabelInspection, type ValueCount } from "../labels/inspect-label.ts";
import { readImage } from "../read-image.ts";
import { type Dataset, type DatasetProblem, IGNORE_INDEX, type Sample } from "../sample.ts";
import { readWeights } from "../weights.ts";
import { fingerprint } from "./fingerprint.ts";

export interface ScanOptions {
  /** Files in flight at once. Default: the processors available. */
  readonly concurrency?: number;
  readonly onProgress?: (done: number, total: number) => void;
}

export type ProblemKind =
  | "unreadable image"
  | "unreadable label"
  | "label of another size than its image"
  | "value outside the label map"
  | "unreadable weight map"
  | "class without a pixel"
  | "label without a valid pixel"
  | "file without a partner"
  | DatasetProblem["kind"];

export interface Problem {
  readonly kind: ProblemKind;
  /** Nothing runs over an error; training does not start over a `training error`. */
  readonly severity: "error" | "training error" | "warning";
  readonly count: number;
  /** The first ten, in the order of the samples. */
  readonly examples: readonly string[];
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

const EXAMPLES = 10;
const SEVERITIES: Partial<Record<ProblemKind, Problem["severity"]>> = {
  "class without a pixel": "training error",
  "label without a valid pixel": "warning",
  "file without a partner": "warning",
  "annotation without area": "warning",
};

/**
 * Read every file of a split and count what is in it, collecting problems instead of stopping at the first.
 *
 * Images are decoded in full, so truncated files show. Memory is bounded by `concurrency` images.
 *
 * @returns The counts and problems; {@link scanText} prints them.
 */
export async function scan(dataset: Dataset, options: ScanOptions = {}): Promise<ScanResult> {
  const hash = await fingerprint(dataset);
  let done = 0;
  const inspections = await mapConcurrently(
    dataset.samples,
    options.concurrency ?? availableParallelism(),
    async (sample) => {
      const inspection = await inspectSample(sample);
      options.onProgress?.(++done, dataset.samples.length);
      return inspection;
    },
  );
  return summarise(dataset, hash, inspections);
}

interface Finding {
  readonly kind: ProblemKind;
  readonly text: string;
}

interface Inspection {
  readonly size?: readonly [number, number];
  readonly label?: LabelInspection;
  readonly findings: readonly Finding[];
}

async function inspectSample(sample: Sample): Promise<Inspection> {
  const findings: Finding[] = [];
  const attempt = async <T>(kind: ProblemKind, run: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await run();
    } catch (error) {
      findings.push({ kind, text: named(sample, messageOf(error)) });
      return undefined;
    }
  };
  const image = await attempt("unreadable image", () => readImage(sample.image));
  const size = image && ([image.height, image.width] as const);
  const label =
    sample.annotation && (await attempt("unreadable label", () => inspectAnnotation(sample, size, findings)));
  const labelSize = label?.size ?? size;
  if (sample.weights) await attempt("unreadable weight map", () => readWeights(sample.weights!, labelSize));
  return { findings, ...(size && { size }), ...(label && { label }) };
}

/** Samples that share one annotation file are told apart by name. */
function named({ name }: Sample, text: string): string {
  return text.includes(name) ? text : `${name}: ${text}`;
}

async function inspectAnnotation(
  sample: Sample,
  size: readonly [number, number] | undefined,
  findings: Finding[],
): Promise<LabelInspection> {
  const { annotation, image } = sample;
  const onUnknown = (error: DataError): unknown =>
    findings.push({ kind: "value outside the label map", text: named(sample, error.message) });
  const label = await inspectLabel(annotation!, {
    size: annotation!.kind === "mask" ? undefined : size,
    onUnknown,
  });
  if (size && (size[0] !== label.size[0] || size[1] !== label.size[1])) {
    const text = `${annotation!.path} is ${label.size.join("x")}, ${image} is ${size.join("x")} (height x width)`;
    findings.push({ kind: "label of another size than its image", text });
  }
  if (
    label.values.every(
      ({ label: value, pixels }) => value === undefined || value === IGNORE_INDEX || pixels === 0,
    )
  )
    findings.push({ kind: "label without a valid pixel", text: named(sample, annotation!.path) });
  return label;
}

function summarise(dataset: Dataset, hash: string, inspections: readonly Inspection[]): ScanResult {
  const labels = inspections.flatMap(({ label }) => label ?? []);
  const classes = countClasses(dataset, labels);
  const findings = [
    ...inspections.flatMap((inspection) => inspection.findings),
    ...classesWithoutPixels(classes, labels.length),
    ...(dataset.problems ?? []),
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

function groupProblems(findings: readonly Finding[]): Problem[] {
  const groups = new Map<ProblemKind, string[]>();
  for (const { kind, text } of findings) {
    const texts = groups.get(kind);
    if (texts) texts.push(text);
    else groups.set(kind, [text]);
  }
  return [...groups].map(([kind, texts]): Problem => {
    return {
      kind,
      severity: SEVERITIES[kind] ?? "error",
      count: texts.length,
      examples: texts.slice(0, EXAMPLES),
    };
  });
}

/** Whether nothing that a scan found forbids training on the split, or reading it. */
export function isUsable(result: ScanResult, purpose: "training" | "reading"): boolean {
  return result.problems.every(
    ({ severity }) => severity === "warning" || (severity === "training error" && purpose === "reading"),
  );
}
