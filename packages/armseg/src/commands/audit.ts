import fs from "node:fs";
import { join } from "node:path";
import { openData } from "../config/open-data.ts";
import { readRunConfig } from "../config/read-run-config.ts";
import { writeFileAtomically } from "../core/atomic-file.ts";
import { evenlySpaced } from "../core/evenly-spaced.ts";
import { ConfidentLearning } from "../correction/audit/confident-learning.ts";
import { type AuditedPixels, type FoundRegion, findRegions } from "../correction/audit/find-regions.ts";
import { labelQuality } from "../correction/audit/label-quality.ts";
import { AuditMeasurement } from "../correction/audit/measure-audit.ts";
import { ClassThresholds } from "../correction/class-thresholds.ts";
import { readLabel } from "../data/labels/read-label.ts";
import type { Annotation, Dataset, Sample } from "../data/sample.ts";
import type { EvaluationImage } from "../pipeline/index.ts";
import {
  type AuditedImage,
  type AuditPaths,
  type AuditRegion,
  type AuditSummary,
  auditPaths,
} from "../runs/audit/index.ts";
import { acquireRunLock } from "../runs/run-lock.ts";
import { ClassCounts, countPixels } from "./audit-counts.ts";
import { type AuditPart, trainFolds } from "./audit-folds.ts";
import { AuditLists, FileHashes, portablePath } from "./audit-lists.ts";
import { AuditPageWriter } from "./audit-page.ts";
import { PlaneWriter } from "./audit-planes.ts";
import { openFine } from "./coarse-labels.ts";
import { loadNetwork, type TrainedNetwork, type TrainedOptions } from "./evaluate.ts";
import { lookAt } from "./look-at.ts";
import type { RunControl } from "./train.ts";
import { logitsOf } from "./validate.ts";

export interface AuditOptions extends Omit<TrainedOptions, "context">, Pick<RunControl, "stream"> {
  /** Fine labels to measure the audit against: a folder of masks by the images' names, or `true` for those that the format has. Default none. */
  readonly against?: string | true;
  /** Trains as many networks, each on all but its part of the images, to judge that part. Default 1: the run's own judges what it was trained on. */
  readonly folds?: number;
  /** Smaller regions, in pixels, are not listed. Default 0.01 % of the image, and at least 20 pixels. */
  readonly leastArea?: number;
  /** Whether to write label, prediction and likelihood of each image as PNG files. Default true. */
  readonly planes?: boolean;
  /** Ends the audit after the image in hand; it is then not complete. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (images: number, total: number, note?: string) => void;
}

export interface AuditOutcome {
  readonly summary: AuditSummary;
  readonly paths: AuditPaths;
  /** The first regions of the list. */
  readonly first: readonly AuditRegion[];
}

/** A smaller region is more likely a ragged border than a mistake: pixels, and as a share of the image. */
const LEAST_AREA = { pixels: 20, share: 1e-4 };

/**
 * So many images, and this share of all, say how sure the network is of each class before the pass begins: they are looked at twice,
 * and the audit is to take no more than 1.3 times an evaluation.
 */
const ESTIMATED_FROM = { most: 300, least: 20, share: 0.15 };

/** Regions that a caller is told of. */
const FIRST = 10;

/**
 * Reads the training labels once more beside what the network says of them, and lists the regions where it is sure of another class
 * (DESIGN 6.4): `audit/` in the run. One image at a time; the memory grows by two numbers a region.
 *
 * @throws {Error} If the folder holds no trained run, an image has no label, another audit of the run is under way, or the signal ends it.
 */
export async function auditRun(options: AuditOptions): Promise<AuditOutcome> {
  const start = performance.now();
  const { folder, folds = 1, leastArea = null } = options;
  const paths = auditPaths(folder);
  const config = readRunConfig(folder, options.overrides);
  const dataset = await openData(config.data, "train");
  const fine =
    options.against === undefined
      ? null
      : await openFine(config.data, "train", dataset, options.against === true ? undefined : options.against);
  loadNetwork(options)[Symbol.dispose](); // there must be one before anything is touched
  fs.mkdirSync(paths.folder, { recursive: true });
  using _lock = acquireRunLock(join(paths.folder, "audit.lock"));
  // Without it the audit is not complete.
  fs.rmSync(paths.summary, { force: true });
  const parts =
    folds === 1 ? [{ ...options, samples: dataset.samples }] : await trainFolds(options, dataset, folds);
  const audit = new Audit(options, dataset, fine, paths);
  const result = await audit.run(parts);
  const summary: AuditSummary = {
    version: 1,
    checkpoint: portablePath(folder, result.checkpoint),
    dataset: dataset.name,
    split: dataset.split,
    images: dataset.samples.length,
    regions: result.regions,
    folds,
    leastArea,
    classes: result.classes,
    measure: result.measure,
    seconds: (performance.now() - start) / 1000,
  };
  await result.page.write(paths.page, summary);
  writeFileAtomically(paths.summary, `${JSON.stringify(summary, null, 2)}\n`);
  return { summary, paths, first: result.page.regions.slice(0, FIRST) };
}

/** One audit of a run, over all its parts. */
class Audit {
  readonly #options: AuditOptions;
  readonly #dataset: Dataset;
  readonly #fine: ReadonlyMap<string, Annotation> | null;
  readonly #paths: AuditPaths;
  readonly #counts: ClassCounts;
  readonly #hashes = new FileHashes();
  readonly #page: AuditPageWriter;
  #images = 0;

  constructor(
    options: AuditOptions,
    dataset: Dataset,
    fine: ReadonlyMap<string, Annotation> | null,
    paths: AuditPaths,
  ) {
    this.#options = options;
    this.#dataset = dataset;
    this.#fine = fine;
    this.#paths = paths;
    this.#counts = new ClassCounts(dataset.classes);
    this.#page = new AuditPageWriter(dataset.classes);
  }

  async run(parts: readonly AuditPart[]) {
    const { classes } = this.#dataset;
    const planes = (this.#options.planes ?? true) ? new PlaneWriter(this.#paths.planes, classes) : null;
    if (!planes) fs.rmSync(this.#paths.planes, { recursive: true, force: true });
    using lists = new AuditLists(this.#paths);
    let checkpoint = "";
    let measurement = null as AuditMeasurement | null;
    for (const part of parts) {
      using trained = loadNetwork(part);
      checkpoint ||= trained.checkpoint;
      const { thresholds, cutoff } = await this.#estimate(trained, part.samples);
      this.#counts.addThresholds(thresholds);
      if (this.#fine)
        measurement = measurement?.with(thresholds, cutoff) ?? new AuditMeasurement(thresholds, cutoff);
      await this.#pass(trained, part.samples, thresholds, measurement, lists, planes);
    }
    await planes?.finish();
    lists.writeRanked();
    return {
      checkpoint,
      regions: lists.regions,
      classes: this.#counts.result(),
      measure: measurement
        ? { ...measurement.result(), precision: [...measurement.result().precision] }
        : null,
      page: this.#page,
    };
  }

  /** Thresholds of the classes, and what cleanlab calls an issue, from evenly spaced images. */
  async #estimate(trained: TrainedNetwork, samples: readonly Sample[]) {
    const { most, least, share } = ESTIMATED_FROM;
    const count = Math.max(least, Math.min(most, Math.ceil(share * samples.length)));
    const classes = this.#dataset.classes.length;
    const thresholds = new ClassThresholds(classes);
    const confidentLearning = new ConfidentLearning(classes);
    const chosen = evenlySpaced(samples, count);
    await this.#look(trained, chosen, (_, pixels, done) => {
      thresholds.add(pixels.label, pixels.givenLikelihood);
      if (this.#fine) confidentLearning.add(pixels);
      this.#options.onProgress?.(done, chosen.length, "how sure the network is of each class");
    });
    return { thresholds: thresholds.values(), cutoff: confidentLearning.cutoff() };
  }

  async #pass(
    trained: TrainedNetwork,
    samples: readonly Sample[],
    thresholds: Float64Array,
    measurement: AuditMeasurement | null,
    lists: AuditLists,
    planes: PlaneWriter | null,
  ): Promise<void> {
    const total = this.#dataset.samples.length;
    await this.#look(trained, samples, async (image, pixels) => {
      const regions = findRegions(pixels, thresholds, this.#leastAreaOf(pixels));
      const files = (await planes?.add(this.#images, pixels)) ?? null;
      await this.#record(image, pixels, regions, files, lists);
      await this.#measure(image, pixels, regions, measurement);
      this.#images++;
      this.#options.onProgress?.(this.#images, total, `${lists.regions} regions`);
    });
  }

  /** Lists an image and its regions. */
  async #record(
    { sample }: EvaluationImage,
    pixels: AuditedPixels,
    regions: readonly FoundRegion[],
    files: Awaited<ReturnType<PlaneWriter["add"]>> | null,
    lists: AuditLists,
  ): Promise<void> {
    const { folder } = this.#options;
    const { path } = sample.annotation as Annotation;
    const identity = {
      image: sample.name,
      labelFile: portablePath(folder, path),
      labelSha256: await this.#hashes.sha256(path),
      size: [pixels.height, pixels.width] satisfies [number, number],
    };
    const plane = (file: string) => portablePath(folder, join(this.#paths.planes, file));
    const image: AuditedImage = {
      ...identity,
      imageFile: portablePath(folder, sample.image),
      ...countPixels(pixels, regions),
      regions: regions.length,
      quality: labelQuality(pixels.label, pixels.givenLikelihood),
      planes: files && {
        label: plane(files.label),
        prediction: plane(files.prediction),
        likelihood: plane(files.likelihood),
      },
    };
    lists.addImage(image);
    for (const [i, { givenLikelihood: _, ...region }] of regions.entries()) {
      const listed = { id: `${sample.name}#${i + 1}`, ...identity, ...region };
      lists.addRegion(listed);
      this.#page.add(listed, sample, pixels);
    }
    this.#counts.add(pixels, regions);
  }

  async #measure(
    { sample }: EvaluationImage,
    pixels: AuditedPixels,
    regions: readonly FoundRegion[],
    measurement: AuditMeasurement | null,
  ): Promise<void> {
    const annotation = this.#fine?.get(sample.name);
    if (!annotation || !measurement) return;
    const { data } = await readLabel(annotation, [pixels.height, pixels.width]);
    measurement.add(pixels, regions, data, this.#leastAreaOf(pixels));
  }

  #leastAreaOf({ height, width }: AuditedPixels): number {
    return this.#options.leastArea ?? Math.max(LEAST_AREA.pixels, LEAST_AREA.share * height * width);
  }

  /** Shows images to a network, one by one. */
  async #look(
    { network, settings }: TrainedNetwork,
    samples: readonly Sample[],
    use: (image: EvaluationImage, pixels: AuditedPixels, done: number) => void | Promise<void>,
  ): Promise<void> {
    await using reader = settings.read(samples);
    let done = 0;
    for await (const image of reader) {
      this.#options.signal?.throwIfAborted();
      const { label, sample } = image;
      if (!label)
        throw new Error(`auditRun(): ${sample.image} has no label; an audit needs one for every image`);
      const { height, width, data } = label;
      await use(
        image,
        { height, width, label: data, ...lookAt(logitsOf(network), image, label, settings) },
        ++done,
      );
      // Lets signals and finalizers run between images.
      await new Promise(setImmediate);
    }
  }
}
