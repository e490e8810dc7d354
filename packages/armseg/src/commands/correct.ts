import fs from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { stringify } from "yaml";
import { openData } from "../config/open-data.ts";
import { readRunConfig } from "../config/read-run-config.ts";
import { makeFolder } from "../core/atomic-file.ts";
import { IGNORE_INDEX } from "../core/ignore-index.ts";
import { fillMask_, fitsSize } from "../core/region-mask.ts";
import { textTable } from "../core/text-table.ts";
import type { ClassInfo, Dataset, LabelImage, Sample } from "../data/sample.ts";
import {
  type AuditPaths,
  auditPaths,
  type GivenVerdict,
  isUnlearned,
  readAuditSummary,
  readRegions,
  readVerdicts,
  type Verdict,
  verdictsThatCount,
} from "../runs/audit/index.ts";
import { FileHashes } from "./audit-lists.ts";
import { type CorrectedForm, copyInto, correctedForm, readLabelOf, writeInto } from "./correct-labels.ts";

/** Verdicts on regions that nobody has looked at. */
export interface AutomaticVerdicts {
  readonly verdict: "prediction" | "void";
  /** Only the first so many regions of the audit. Default all. */
  readonly top?: number;
  /** Only regions of at least this score. Default all. */
  readonly leastScore?: number;
}

/** The verdicts that are given without a person, and what was left out. */
interface FoundVerdicts {
  readonly verdicts: readonly Verdict[];
  readonly unjudged: number;
}

export interface CorrectOptions {
  /** The run that was audited. */
  readonly folder: string;
  /** New folder of the corrected labels; must be empty or not exist, and lie in none of the labels' or images'. */
  readonly out: string;
  /** File of verdicts. Default that of the audit. */
  readonly verdicts?: string;
  /** Also corrects regions without a verdict, but for those of classes that the network has not learned. Default none. */
  readonly automatic?: AutomaticVerdicts;
  /** `key=value`, put over the run's own configuration. */
  readonly overrides?: readonly string[];
  readonly signal?: AbortSignal;
  readonly onProgress?: (labels: number, total: number) => void;
}

/** Pixels that went from one class to another; 255 is void. */
export interface LabelChange {
  readonly from: number;
  readonly to: number;
  readonly pixels: number;
}

export interface CorrectOutcome {
  readonly out: string;
  /** YAML file with the `data` of a configuration that trains on the corrected labels. */
  readonly config: string;
  readonly classes: readonly string[];
  readonly labels: number;
  readonly changedLabels: number;
  /** Verdicts that count, by kind. */
  readonly verdicts: Readonly<Record<Verdict["verdict"], number>>;
  /** Verdicts that were not applied, and why. */
  readonly refused: readonly { readonly image: string; readonly region: string; readonly reason: string }[];
  /** Regions that {@link CorrectOptions.automatic} left alone, as the network has not learned the class that they are labelled as. */
  readonly unjudged: number;
  /** The most pixels first. */
  readonly changes: readonly LabelChange[];
}

/**
 * Applies verdicts to copies of a run's training labels. Nothing is written but the new folder, which appears when it is complete.
 *
 * A verdict is applied only to the label file that it was given for: where the file's hash, its size or a class does not fit, or there is no
 * such image, it is refused.
 *
 * @throws {Error} If there is no verdict, a line is none, or the folder holds something or lies among the sources.
 */
export async function correctLabels(options: CorrectOptions): Promise<CorrectOutcome> {
  const { folder, out, signal, onProgress } = options;
  const config = readRunConfig(folder, options.overrides);
  const dataset = await openData(config.data, "train");
  refuseSources(out, dataset);
  const { verdicts, unjudged } = await gatherVerdicts(options);
  const form = correctedForm(config.data, dataset);
  const corrector = new Corrector(dataset, verdicts);
  const target = realTarget(out);
  await makeFolder(target, async (unfinished) => {
    for (const [i, sample] of dataset.samples.entries()) {
      signal?.throwIfAborted();
      await writeCorrected(unfinished, sample, form, corrector);
      onProgress?.(i + 1, dataset.samples.length);
    }
    const data = await form.finish(unfinished, target);
    writeInto(unfinished, CONFIG, `${CONFIG_HEAD}${stringify({ data })}`);
    writeInto(
      unfinished,
      "verdicts.jsonl",
      corrector.applied.map((one) => `${JSON.stringify(one)}\n`).join(""),
    );
  });
  return { ...corrector.result(), unjudged, out, config: join(out, CONFIG) };
}

const CONFIG = "data.yaml";
const CONFIG_HEAD =
  "# Put this in the place of `data` in a configuration, to train on the corrected labels.\n";

async function writeCorrected(
  folder: string,
  sample: Sample,
  form: CorrectedForm,
  corrector: Corrector,
): Promise<void> {
  const label = await readLabelOf(sample);
  if (!label) return;
  const isChanged = await corrector.correct_(label, sample);
  if (!isChanged && form.copiesUnchanged) copyInto(folder, form.file(sample), sample.annotation!.path);
  else writeInto(folder, form.file(sample), form.encode(label));
}

/** Where a folder that may be a link will be made. */
function realTarget(out: string): string {
  return realPathOf(resolve(out));
}

/** The real path of what is there, and the rest as it is. */
function realPathOf(path: string): string {
  if (fs.existsSync(path) || dirname(path) === path) return fs.realpathSync(path);
  return join(realPathOf(dirname(path)), relative(dirname(path), path));
}

/** @throws {Error} If the folder is one that a label or an image lies in, or below one: readers of the data set would find what is written. */
function refuseSources(out: string, { samples }: Dataset): void {
  const target = realTarget(out);
  const sources = new Set(
    samples
      .flatMap(({ image, annotation }) => [image, ...(annotation ? [annotation.path] : [])])
      .map(dirname),
  );
  for (const source of sources) {
    const real = realPathOf(resolve(source));
    if (target !== real && !target.startsWith(real + sep)) continue;
    throw new Error(
      `correctLabels(): ${out} lies among the sources, in ${source}, where nothing is written; choose another folder with --out`,
    );
  }
}

/** Verdicts of the file and, where asked, on the regions that have none. */
async function gatherVerdicts({ folder, verdicts, automatic }: CorrectOptions): Promise<FoundVerdicts> {
  const paths = auditPaths(folder);
  const path = verdicts ?? paths.verdicts;
  if (verdicts !== undefined && !fs.existsSync(verdicts))
    throw new Error(`correctLabels(): ${verdicts} does not exist; name a file of verdicts`);
  const given: GivenVerdict[] = [];
  for await (const verdict of readVerdicts(path)) given.push(verdict);
  const counting = verdictsThatCount(given);
  const more = automatic
    ? await automaticVerdicts(paths, automatic, counting)
    : { verdicts: [], unjudged: 0 };
  const all = [...counting, ...more.verdicts];
  if (all.length > 0) return { verdicts: all, unjudged: more.unjudged };
  if (automatic)
    throw new Error(
      `correctLabels(): no region of the audit can be corrected by --all ${automatic.verdict}; choose more, or decide with armseg studio`,
    );
  throw new Error(
    `correctLabels(): there is no verdict in ${path}; give some with armseg studio, or take the audit's word with --all`,
  );
}

async function automaticVerdicts(
  paths: AuditPaths,
  { verdict, top = Number.POSITIVE_INFINITY, leastScore = Number.NEGATIVE_INFINITY }: AutomaticVerdicts,
  given: readonly Verdict[],
): Promise<FoundVerdicts> {
  const { classes } = readAuditSummary(paths.summary);
  const decided = new Set(given.map(({ image, region }) => JSON.stringify([image, region])));
  const verdicts: Verdict[] = [];
  let unjudged = 0;
  for await (const region of readRegions(paths.regions)) {
    const { id, image, labelFile, labelSha256, size, mask, rank, score, label, prediction } = region;
    if (rank > top || score < leastScore) break;
    if (decided.has(JSON.stringify([image, id]))) continue;
    if (classes[label] && isUnlearned(classes[label])) {
      unjudged++;
      continue;
    }
    const common = { image, labelFile, labelSha256, size, region: id, mask, by: "armseg correct" };
    verdicts.push(verdict === "void" ? { ...common, verdict } : { ...common, verdict, class: prediction });
  }
  return { verdicts, unjudged };
}

/** Applies verdicts image by image, and counts what they change. */
class Corrector {
  readonly #classes: readonly ClassInfo[];
  readonly #byImage = new Map<string, Verdict[]>();
  readonly #hashes = new FileHashes();
  readonly #kinds = { keep: 0, prediction: 0, void: 0, painted: 0 };
  readonly #refused: CorrectOutcome["refused"][number][] = [];
  /** Pixels by the class before and after, `[256, 256]`. */
  readonly #changes = new Float64Array(256 * 256);
  readonly applied: Verdict[] = [];
  #labels = 0;
  #changedLabels = 0;

  constructor({ classes, samples }: Dataset, verdicts: readonly Verdict[]) {
    this.#classes = classes;
    const names = new Set(samples.map(({ name }) => name));
    for (const verdict of verdicts) {
      this.#kinds[verdict.verdict]++;
      const { image } = verdict;
      if (!names.has(image)) this.#refuse(verdict, "there is no such image in the training split");
      else this.#byImage.set(image, [...(this.#byImage.get(image) ?? []), verdict]);
    }
  }

  /** Applies the verdicts on an image's label, in place. @returns Whether a pixel has changed. */
  async correct_(label: LabelImage, { name, annotation }: Sample): Promise<boolean> {
    this.#labels++;
    const before = Uint8Array.from(label.data);
    for (const verdict of this.#byImage.get(name) ?? []) {
      const reason = this.#reasonAgainst(verdict, label, await this.#hashes.sha256(annotation!.path));
      if (reason !== null) this.#refuse(verdict, reason);
      else {
        apply_(label, verdict);
        this.applied.push(verdict);
      }
    }
    const isChanged = this.#count(before, label.data);
    if (isChanged) this.#changedLabels++;
    return isChanged;
  }

  result(): Omit<CorrectOutcome, "out" | "config" | "unjudged"> {
    const changes = [...this.#changes.entries()]
      .filter(([, pixels]) => pixels > 0)
      .map(([at, pixels]) => ({ from: at >> 8, to: at & 255, pixels }))
      .sort((a, b) => b.pixels - a.pixels);
    return {
      classes: this.#classes.map(({ name }) => name),
      labels: this.#labels,
      changedLabels: this.#changedLabels,
      verdicts: this.#kinds,
      refused: this.#refused,
      changes,
    };
  }

  #refuse({ image, region }: Verdict, reason: string): void {
    this.#refused.push({ image, region, reason });
  }

  #reasonAgainst(verdict: Verdict, { height, width }: LabelImage, sha256: string): string | null {
    const { labelSha256, size } = verdict;
    if (labelSha256 !== sha256) return "the label file is another than the one that it was given for";
    if (size[0] !== height || size[1] !== width)
      return `it is for a label of ${size[0]}x${size[1]} pixels (height x width), not ${height}x${width}`;
    const masks = [
      verdict.mask,
      ...(verdict.verdict === "painted" ? verdict.painted.map(({ mask }) => mask) : []),
    ];
    if (!masks.every((mask) => fitsSize(mask, size))) return "its mask reaches beyond the label";
    const wrong = classesOf(verdict).find((index) => index >= this.#classes.length && index !== IGNORE_INDEX);
    return wrong === undefined ? null : `there is no class ${wrong}`;
  }

  #count(before: Uint8Array, after: Uint8Array): boolean {
    let isChanged = false;
    for (let i = 0; i < before.length; i++) {
      if (before[i] === after[i]) continue;
      isChanged = true;
      this.#changes[256 * before[i]! + after[i]!]! += 1;
    }
    return isChanged;
  }
}

function classesOf(verdict: Verdict): number[] {
  if (verdict.verdict === "prediction") return [verdict.class];
  return verdict.verdict === "painted" ? verdict.painted.map((part) => part.class) : [];
}

function apply_(label: LabelImage, verdict: Verdict): void {
  if (verdict.verdict === "prediction") fillMask_(label, verdict.mask, verdict.class);
  if (verdict.verdict === "void") fillMask_(label, verdict.mask, IGNORE_INDEX);
  if (verdict.verdict === "painted")
    for (const part of verdict.painted) fillMask_(label, part.mask, part.class);
}

/** Refused verdicts that are told one by one. */
const TOLD = 5;

/** Returns what was corrected, for a terminal. */
export function correctText(outcome: CorrectOutcome): string {
  const { classes, changes, labels, changedLabels, verdicts, refused, unjudged, out, config } = outcome;
  const nameOf = (index: number) => (index === IGNORE_INDEX ? "void" : classes[index]!);
  const given = Object.entries(verdicts).filter(([, count]) => count > 0);
  return [
    `${given.map(([kind, count]) => `${count} ${kind}`).join(", ")}: ${changedLabels} of ${labels} labels changed`,
    ...textTable(
      changes.map(({ from, to, pixels }) => [`  ${nameOf(from)} → ${nameOf(to)}`, `${pixels} pixels`]),
    ),
    ...(unjudged > 0
      ? [
          `${unjudged} regions were left alone: the network has not learned the classes that they are labelled as`,
        ]
      : []),
    ...refused.slice(0, TOLD).map(({ image, region, reason }) => `refused: ${region} of ${image}: ${reason}`),
    ...(refused.length > TOLD ? [`and ${refused.length - TOLD} more refused`] : []),
    `Labels: ${out}. To train on them, take the data of ${config}.`,
  ].join("\n");
}
