import { join } from "node:path";
import type { TrainingObjects } from "../config/build.ts";
import type { EvaluationSettings } from "../config/build-evaluation.ts";
import type { Config } from "../config/schema.ts";
import { evenlySpaced } from "../core/evenly-spaced.ts";
import { IGNORE_INDEX } from "../core/ignore-index.ts";
import type { AuditedPixels } from "../correction/audit/find-regions.ts";
import { ClassThresholds } from "../correction/class-thresholds.ts";
import { fillLabel } from "../correction/fill-label.ts";
import { relabel } from "../correction/relabel.ts";
import { writeLabelPng } from "../data/drawing/index.ts";
import type { Annotation, ClassInfo, Dataset, LabelImage, Sample } from "../data/sample.ts";
import type { DistributedContext } from "../distributed/context.ts";
import { type Network, together, withMirroring } from "../evaluation/index.ts";
import type { EvaluationImage } from "../pipeline/index.ts";
import type { TeachingRecord } from "../runs/records.ts";
import { withAverages } from "../training/ema.ts";
import { lookAt } from "./look-at.ts";
import { inEvaluationMode, logitsOf } from "./validate.ts";

/** So many training images say how sure the network is of each class; more would cost time and change little. */
const MOST_THRESHOLD_IMAGES = 100;

/** Images that the network looks at in a round of teaching, mirror images counted. @param images - To train on. */
export function imagesPerTeaching(images: number): number {
  return 2 * images + Math.min(MOST_THRESHOLD_IMAGES, images);
}

/** Returns a data set whose labels are those that a teacher left in a folder after an iteration. */
export function taughtDataset(train: Dataset, folder: string, iteration: number): Dataset {
  const samples = train.samples.map((sample, i) => ({
    ...sample,
    taught: taughtAnnotation(taughtPath(folder, iteration, i), train.classes),
  }));
  return { ...train, samples };
}

function taughtPath(folder: string, iteration: number, index: number): string {
  return join(folder, String(iteration).padStart(8, "0"), `${String(index).padStart(6, "0")}.png`);
}

/** A mask whose values are class indices. */
function taughtAnnotation(path: string, classes: readonly ClassInfo[]): Annotation {
  const indices = [...classes.keys(), IGNORE_INDEX].map((index) => [index, index] as const);
  return { kind: "mask", path, labelMap: { encoding: "values", classes: Object.fromEntries(indices) } };
}

/**
 * Has the network, with the averages' weights where there are any, look at all training images and their mirror images, and
 * writes what it makes of their labels into a folder, for {@link taughtDataset}. All processes call it, each does its part.
 *
 * @param train - With the annotators' own labels.
 * @param folder - Of all rounds.
 * @returns What was done, as a line of the log.
 */
export async function teach(
  { network, ema, context }: TrainingObjects,
  settings: EvaluationSettings,
  options: Config["correction"],
  train: Dataset,
  folder: string,
  iteration: number,
): Promise<TeachingRecord> {
  const numbered = train.samples.map((sample, index) => ({ sample, index }));
  const mine = <T>(items: readonly T[]) => items.filter((_, i) => i % context.worldSize === context.rank);
  const counts = new TeachingCounts(train.classes.length);
  const look = async () => {
    const known = mine(evenlySpaced(train.samples, MOST_THRESHOLD_IMAGES));
    const thresholds = await thresholdsOf(logitsOf(network), settings, known, train.classes.length, context);
    const teacher = withMirroring(logitsOf(network));
    const own = mine(numbered);
    await together(context, async () => {
      await using reader = settings.read(own.map(({ sample }) => sample));
      for await (const image of reader) {
        const label = labelOf(image);
        const seen = lookAt(teacher, image, label, settings);
        const data = taughtLabel({ ...label, label: label.data, ...seen }, thresholds, options);
        counts.add(label.data, data);
        const path = taughtPath(folder, iteration, own[image.index]!.index);
        writeLabelPng(path, { ...label, data }, train.classes, { overwrite: true });
      }
    });
    return thresholds;
  };
  const thresholds = await withAverages(network, ema, () => inEvaluationMode(network, look));
  context.barrier(); // all labels are there
  return { kind: "teaching", iteration, thresholds: [...thresholds], ...counts.total(context) };
}

/** The label with what is wrong replaced and what is missing filled, as far as the options say so. */
function taughtLabel(
  pixels: AuditedPixels,
  thresholds: Float64Array,
  { teacher, relabel: by, onlyDrawnClasses }: Config["correction"],
): Uint8Array {
  const filled = teacher ? fillLabel(pixels, thresholds, onlyDrawnClasses) : pixels.label;
  if (by === "none") return filled;
  const relabelled = relabel(pixels, thresholds, by);
  return filled.map((value, i) => (pixels.label[i] === IGNORE_INDEX ? value : (relabelled[i] as number)));
}

async function thresholdsOf(
  network: Network,
  settings: EvaluationSettings,
  samples: readonly Sample[],
  classes: number,
  peers: DistributedContext,
): Promise<Float64Array> {
  const thresholds = new ClassThresholds(classes);
  await together(peers, async () => {
    await using reader = settings.read(samples);
    for await (const image of reader) {
      const label = labelOf(image);
      thresholds.add(label.data, lookAt(network, image, label, settings).givenLikelihood);
    }
  });
  thresholds.join(peers);
  return thresholds.values();
}

function labelOf({ label, sample }: EvaluationImage): LabelImage {
  if (!label) throw new Error(`teach(): ${sample.image} has no label`);
  return label;
}

/** Pixels of each class that were drawn and those of them that were changed, pixels that were filled with it, and those that stay void. */
class TeachingCounts {
  readonly #drawn: Float64Array;
  readonly #changed: Float64Array;
  readonly #filled: Float64Array;

  constructor(classes: number) {
    this.#drawn = new Float64Array(classes);
    this.#changed = new Float64Array(classes);
    this.#filled = new Float64Array(classes + 1);
  }

  add(drawn: Uint8Array, taught: Uint8Array): void {
    const last = this.#filled.length - 1;
    for (let i = 0; i < drawn.length; i++) {
      const [given, now] = [drawn[i] as number, taught[i] as number];
      if (given !== IGNORE_INDEX) {
        this.#drawn[given]! += 1;
        if (now !== given) this.#changed[given]! += 1;
      } else this.#filled[now === IGNORE_INDEX ? last : now]! += 1;
    }
  }

  /** Of all processes. */
  total(peers: {
    sum(values: Float64Array): void;
  }): Pick<TeachingRecord, "drawn" | "changed" | "filled" | "void"> {
    for (const counts of [this.#drawn, this.#changed, this.#filled]) peers.sum(counts);
    return {
      drawn: [...this.#drawn],
      changed: [...this.#changed],
      filled: [...this.#filled.subarray(0, -1)],
      void: this.#filled.at(-1) as number,
    };
  }
}
