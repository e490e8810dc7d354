import { join } from "node:path";
import { evenlySpaced } from "../core/evenly-spaced.ts";
import { Progress, type ProgressStream } from "../core/progress.ts";
import { imageSize } from "../data/read-image.ts";
import type { Dataset } from "../data/sample.ts";
import { type ClassWeightFormula, classWeights } from "../data/scan/class-weights.ts";
import { compareSplits, type ScannedDataset } from "../data/scan/compare-splits.ts";
import { isUsable } from "../data/scan/problems.ts";
import { type ScanResult, scan } from "../data/scan/scan.ts";
import { cachedScan } from "../data/scan/scan-cache.ts";
import { problemLines, scanText, warningText } from "../data/scan/scan-text.ts";
import { checkClasses, openData, sharedNames } from "./open-data.ts";
import { ConfigError } from "./read-config.ts";
import type { Config } from "./schema.ts";

/** The data of a training, looked through before it begins. */
export interface TrainingData {
  readonly train: Dataset;
  readonly val: Dataset;
  /** Training samples with fine labels that a baseline learns from; `train` holds none of them. `null` without a baseline. */
  readonly meta: Dataset | null;
  /** One factor per class, or `null` for none. */
  readonly classWeights: readonly number[] | null;
  /** `[height, width]` of the training images, which the random resize is relative to. */
  readonly imageSize: readonly [number, number];
  /** Part of the validation's pixels that are labelled. */
  readonly valLabelledShare: number;
  /** Changes when any file of the training split does. */
  readonly fingerprint: string;
}

export interface PrepareOptions {
  /** Where the results of the scan are kept; a fresh one is not made again. Default nowhere. */
  readonly cacheFolder?: string;
  readonly say: (text: string) => void;
  /** Where the progress of a scan goes that takes longer than a moment. Default nowhere. */
  readonly stream?: ProgressStream | null;
}

/** A scan that is done sooner needs no bar. */
const PATIENCE_MS = 2_000;

async function scanSplit(
  dataset: Dataset,
  purpose: "training" | "reading",
  { cacheFolder, say, stream }: PrepareOptions,
): Promise<ScanResult> {
  const file = `scan-${dataset.split.replaceAll(/[^\w.-]/g, "_")}.json`;
  const start = performance.now();
  using progress = new Progress(`reading ${dataset.split}`, dataset.samples.length, {
    stream: stream ?? { write: () => true },
  });
  const onProgress = (done: number) => {
    if (performance.now() - start > PATIENCE_MS) progress.update(done);
  };
  const result = await (cacheFolder === undefined
    ? scan(dataset, { onProgress })
    : cachedScan(dataset, join(cacheFolder, file), { onProgress }));
  if (isUsable(result, purpose)) {
    const warnings = warningText(result);
    if (warnings !== "") say(warnings);
    return result;
  }
  say(scanText(result, purpose));
  throw new ConfigError(
    `the ${dataset.split} split of ${dataset.name} is not fit for ${purpose}; see the table above`,
  );
}

/** Masks may mean one thing in each split, and another in the two together. */
function checkTogether(train: ScannedDataset, val: ScannedDataset, say: PrepareOptions["say"]): void {
  const problems = compareSplits(train, val);
  if (problems.length > 0) say(problemLines(problems, "reading").join("\n"));
  if (isUsable({ problems }, "reading")) return;
  throw new ConfigError(
    `the masks of ${train.dataset.split} and ${val.dataset.split} of ${train.dataset.name} are not in one form; see above`,
  );
}

function weightsOf(
  setting: Config["loss"]["classWeights"],
  scan: ScanResult,
  classes: number,
): readonly number[] | null {
  if (setting === "none") return null;
  const weights = Array.isArray(setting) ? setting : classWeights(scan, setting as ClassWeightFormula);
  if (weights.length === classes) return weights;
  throw new ConfigError(
    `loss.classWeights: expected ${classes} numbers, one per class, got ${weights.length}`,
  );
}

function labelledShare({ classes, ignoredPixels }: ScanResult): number {
  const labelled = classes.reduce((sum, { pixels }) => sum + pixels, 0);
  return labelled / (labelled + ignoredPixels);
}

/** Of the most common size where they differ; a resize keeps each image's own aspect ratio. */
async function commonSize(scan: ScanResult, train: Dataset): Promise<readonly [number, number]> {
  const [most] = Object.entries(scan.sizes).sort((a, b) => b[1] - a[1])[0] ?? [];
  const size = most?.match(/\d+/g)?.map(Number);
  return size?.length === 2 ? (size as [number, number]) : await imageSize(train.samples[0]!.image);
}

/** The training split; for a baseline some of it is held out, spread over it and with fine labels. */
async function openTraining({ data, reweighting, training }: Config) {
  const train = await openData(data, "train");
  if (reweighting.baseline === "none") return { train, meta: null };
  const { masks: _, annotations: __, ...split } = data.train;
  const fine = await openData({ ...data, annotations: "fine", train: split }, "train");
  const count = reweighting.metaSamples;
  if (count < training.batchSize || count > fine.samples.length - training.batchSize) {
    throw new ConfigError(
      `reweighting.metaSamples: expected at least a batch (${training.batchSize}) and a batch to be left of ${fine.samples.length}, got ${count}`,
    );
  }
  const held = evenlySpaced(fine.samples, count);
  const names = new Set(held.map(({ name }) => name));
  return {
    train: { ...train, samples: train.samples.filter(({ name }) => !names.has(name)) },
    meta: { ...fine, split: `${fine.split}, meta`, samples: held },
  };
}

/** Where the validation images are trained on too, as for a test server's score. */
function sharedNote(train: Dataset, val: Dataset): string[] {
  const { length } = sharedNames(train, val);
  if (length === 0) return [];
  return [
    `validation images that are trained on too: ${length} of ${val.samples.length}. Their scores mean little: take the last checkpoint, not the best`,
  ];
}

/**
 * Opens both splits of a configuration and scans them: nothing starts on labels that would stop it half way.
 *
 * @throws {ConfigError} If a split is not usable; the table that says why goes to `say`.
 */
export async function prepareData(config: Config, options: PrepareOptions): Promise<TrainingData> {
  const { train, meta } = await openTraining(config);
  const val = await openData(config.data, "val");
  checkClasses(train, val);
  for (const note of [...train.notes, ...val.notes, ...sharedNote(train, val)]) options.say(note);
  const trainScan = await scanSplit(train, "training", options);
  const valScan = await scanSplit(val, "reading", options);
  checkTogether({ dataset: train, result: trainScan }, { dataset: val, result: valScan }, options.say);
  if (meta) await scanSplit(meta, "reading", options);
  return {
    train,
    val,
    meta,
    classWeights: weightsOf(config.loss.classWeights, trainScan, train.classes.length),
    imageSize: await commonSize(trainScan, train),
    valLabelledShare: labelledShare(valScan),
    fingerprint: trainScan.fingerprint,
  };
}
