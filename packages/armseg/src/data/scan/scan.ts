import { availableParallelism } from "node:os";
import { forEachConcurrently } from "../../core/concurrently.ts";
import { IGNORE_INDEX } from "../../core/ignore-index.ts";
import type { ValueCount } from "../labels/inspect-label.ts";
import { MaskGroups, type MaskSummary } from "../labels/mask-groups.ts";
import { ObjectNumbers } from "../labels/object-numbers.ts";
import type { Dataset, LabelMap, Sample } from "../sample.ts";
import { fingerprint } from "./fingerprint.ts";
import { type Inspection, inspectSample } from "./inspect-sample.ts";
import { maskFindings, SmoothingCheck } from "./mask-findings.ts";
import { type Finding, type Problem, ProblemList } from "./problems.ts";
import { type ClassCount, ClassCounts, RangeCheck, TextCounts, ValueSums } from "./scan-counts.ts";

export interface ScanOptions {
  /** Files in flight at once. Default: the processors available. */
  readonly concurrency?: number;
  readonly onProgress?: (done: number, total: number) => void;
  /** Called with what each sample's files hold, in the order of the samples. */
  readonly onInspected?: (sample: Sample, inspection: Inspection) => void;
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
  /** What the masks have in common, to compare them with those of another split. */
  readonly masks: MaskSummary;
  readonly problems: readonly Problem[];
  readonly notes: readonly string[];
}

/** So many labels of a split, evenly spread, are looked at for smoothing: it is a matter of how all were saved. */
const LOOKED_AT_FOR_SMOOTHING = 32;
/**
 * Reads every file of a split and counts what is in it, collecting problems instead of stopping at the first.
 *
 * Images are decoded in full, so truncated files show. Memory is bounded by `concurrency` images, whatever their number.
 *
 * @returns The counts and problems; {@link scanText} prints them.
 */
export async function scan(dataset: Dataset, options: ScanOptions = {}): Promise<ScanResult> {
  const hash = await fingerprint(dataset);
  const step = Math.ceil(dataset.samples.length / LOOKED_AT_FOR_SMOOTHING);
  const summary = new Summary(dataset);
  let done = 0;
  await forEachConcurrently(
    dataset.samples,
    options.concurrency ?? availableParallelism(),
    async (sample, index) => {
      const inspection = await inspectSample(sample, { countsBorders: index % step === 0 });
      options.onProgress?.(++done, dataset.samples.length);
      return inspection;
    },
    (inspection, index) => {
      const sample = dataset.samples[index]!;
      summary.add(sample, inspection);
      options.onInspected?.(sample, inspection);
    },
  );
  return { ...summary.result(), fingerprint: hash };
}

/** What is known of a split so far; of a sample's inspection nothing but sums is kept. */
class Summary {
  readonly #dataset: Dataset;
  readonly #classes: ClassCounts;
  readonly #values = new ValueSums();
  readonly #masks = new MaskGroups();
  readonly #smoothing = new SmoothingCheck();
  readonly #objects = new ObjectNumbers();
  readonly #ranges = new RangeCheck();
  readonly #sizes = new TextCounts();
  readonly #modes = new TextCounts();
  readonly #problems = new ProblemList();
  #labelled = 0;

  constructor(dataset: Dataset) {
    this.#dataset = dataset;
    this.#classes = new ClassCounts(dataset.classes);
  }

  add(sample: Sample, { size, label, values16, findings }: Inspection): void {
    for (const finding of findings) this.#problems.add(finding);
    this.#ranges.add(sample, values16);
    if (size) this.#sizes.add(size.join("x"));
    if (!label) return;
    this.#labelled++;
    this.#modes.add(label.mode);
    this.#classes.add(label);
    this.#values.add(label);
    this.#smoothing.add(label);
    if (!label.facts) return;
    this.#masks.add(label.facts);
    this.#objects.add(label.facts);
  }

  result(): Omit<ScanResult, "fingerprint"> {
    const { name, split, samples, notes } = this.#dataset;
    const [values, classes, masks] = [this.#values.counts, this.#classes.counts, this.#masks.summary];
    for (const finding of this.#findingsOfAll(masks)) this.#problems.add(finding);
    return {
      dataset: name,
      split,
      samples: samples.length,
      labelled: this.#labelled,
      sizes: this.#sizes.counts,
      modes: this.#modes.counts,
      values,
      classes,
      ignoredPixels: values.reduce(
        (sum, { label, pixels }) => sum + (label === IGNORE_INDEX ? pixels : 0),
        0,
      ),
      masks,
      problems: this.#problems.problems,
      notes,
    };
  }

  /** What is wrong with the split as a whole. */
  #findingsOfAll(masks: MaskSummary): Finding[] {
    const dataset = this.#dataset;
    const labelMap = maskLabelMap(dataset);
    const ofMasks = labelMap
      ? [
          ...maskFindings(masks, labelMap),
          ...this.#smoothing.findings(labelMap),
          ...this.#objectFindings(labelMap),
        ].map((finding) => ({ ...finding, samples: samplesNamed(finding.text, dataset) }))
      : [];
    return [
      ...ofMasks,
      ...this.#ranges.findings,
      ...splitFindings(dataset, this.#classes.counts, this.#labelled),
      ...classesWithoutPixels(this.#classes.counts, this.#labelled),
      ...(dataset.problems ?? []).map(
        ({ kind, text, sample }): Finding => ({
          kind,
          text,
          ...(sample !== undefined && { samples: [sample] }),
        }),
      ),
      ...(dataset.unpaired ?? []).map((path): Finding => ({ kind: "file without a partner", text: path })),
    ];
  }

  /** Where several values are of one class, somebody knows them. */
  #objectFindings({ encoding, classes }: LabelMap): Finding[] {
    const { text } = this.#objects;
    const mapped = Object.values(classes).filter((index) => index !== IGNORE_INDEX);
    if (encoding !== "values" || !text || new Set(mapped).size < mapped.length) return [];
    return [{ kind: "masks that number objects", text }];
  }
}

/** Returns what the values of a split's masks mean; undefined where it has none. */
export function maskLabelMap({ samples }: Dataset): LabelMap | undefined {
  return samples.find(({ annotation }) => annotation?.kind === "mask")?.annotation?.labelMap;
}

/** Returns the names of the samples whose masks a text names. */
function samplesNamed(text: string, { samples }: Dataset): string[] {
  return samples
    .filter(({ annotation }) => annotation && text.includes(annotation.path))
    .map(({ name }) => name);
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
