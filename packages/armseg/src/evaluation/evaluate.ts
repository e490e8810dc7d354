import type { Device, Tensor } from "@armseg/torch";
import { fromTypedArray, inferenceMode, ops, tidy } from "@armseg/torch";
import { readAhead } from "../core/read-ahead.ts";
import type { Size } from "../core/size.ts";
import { Trailing } from "../core/trailing.ts";
import type { FloatMap } from "../data/drawing/index.ts";
import type { Indicator } from "../reweighting/indicators.ts";
import { isNonFiniteLogits, NonFiniteLogitsError } from "./bands.ts";
import type { BoundaryScores } from "./boundary-iou.ts";
import { BoundaryIou } from "./boundary-iou.ts";
import { ConfusionMatrix } from "./confusion-matrix.ts";
import { ErrorSplit, type ErrorSplitOptions, type ErrorSplitResult } from "./error-split.ts";
import type { InferenceOptions } from "./inference.ts";
import { isPlain, predictLabels, predictWithConfidence } from "./inference.ts";
import { floats, type ImageInput, imageTensor, type LabelImage, type Network } from "./maps.ts";
import type { Metrics } from "./metrics.ts";
import { computeMetrics } from "./metrics.ts";
import { together } from "./together.ts";
import { lowLogits } from "./views.ts";
import type { ImageScore, RankedImage } from "./worst-images.ts";
import { WorstImages } from "./worst-images.ts";

/** One image of the set. */
export interface EvaluationInput extends ImageInput {
  readonly name: string;
  /** In the size on disk; the prediction is brought to it. */
  readonly label: LabelImage | null;
  /** The coarse label that the network was trained on, for {@link EvaluateOptions.errorSplit}. */
  readonly coarse?: LabelImage | null;
}

/** Processes that evaluate parts of one set: what they counted is joined at the end. */
export interface EvaluationPeers {
  /** Replaces numbers by their sums over the processes. */
  sum(values: Float64Array): void;
  /** Returns what each process has. */
  gather<T>(value: T): T[];
}

/** One image of the set with what was found on it. */
export interface EvaluatedImage {
  readonly prediction: LabelImage;
  readonly label: LabelImage;
  /** Of this image alone. */
  readonly confusion: ConfusionMatrix;
  /** u in [-1, 1]; `null` unless {@link EvaluateOptions.indicator} asks for it. */
  readonly confidence: FloatMap | null;
}

export interface EvaluateProgress {
  /** Images done. */
  readonly images: number;
  readonly seconds: number;
}

export interface EvaluateOptions {
  /** Normalised images to logits. A module must be in evaluation mode. */
  readonly predictLogits: Network;
  readonly numClasses: number;
  readonly images: AsyncIterable<EvaluationInput>;
  readonly inference?: InferenceOptions;
  /** Where the network is. Default `cpu`. */
  readonly device?: Device;
  /** Neighbours of one size that the network sees at once. Default 1. */
  readonly batchSize?: number;
  /** Whether to compute Boundary IoU. Default false. */
  readonly boundary?: boolean;
  /** How to split the errors of images that have a coarse label. Default: not at all. */
  readonly errorSplit?: ErrorSplitOptions;
  /** How many of the worst images to name. Default 10. */
  readonly worst?: number;
  /** What they are ranked by. Default `mIoU`. */
  readonly worstBy?: ImageScore;
  /** Whose parts of the set are counted too; every process must then have an image. Default: nobody's. */
  readonly peers?: EvaluationPeers;
  /** Called after each image. */
  readonly onProgress?: (progress: EvaluateProgress) => void;
  /** Receives each prediction, to be written or dropped: nothing is kept. Called in order, each after the end of the one before. */
  readonly onPrediction?: (name: string, image: EvaluatedImage) => void | Promise<void>;
  /** Indicator of the confidence that `onPrediction` receives, too. Default: none. */
  readonly indicator?: Indicator;
}

export interface EvaluationResult {
  readonly images: number;
  readonly confusion: ConfusionMatrix;
  readonly metrics: Metrics;
  readonly boundary?: BoundaryScores;
  readonly errorSplit?: ErrorSplitResult;
  readonly worst: readonly RankedImage[];
  readonly seconds: number;
}

/**
 * Evaluates a network on a set of images, one by one: the memory does not grow with the set. While the network sees one, the next is read and
 * the prediction before is handed on.
 *
 * Where only the confusion matrix is asked for, the logits go straight into it (DESIGN section 5); otherwise through predictions in full resolution.
 *
 * @throws {Error} Naming the image, if it has no label, its label is out of range, or the network fails on it.
 */
export async function evaluate(options: EvaluateOptions): Promise<EvaluationResult> {
  const start = performance.now();
  const accumulators = new Accumulators(options);
  const images = Float64Array.of(0);
  await together(options.peers, async () => {
    await using handing = new Trailing();
    for await (const batch of batchesOf(readAhead(options.images), options.batchSize ?? 1)) {
      const evaluated = accumulators.addBatch(batch);
      await handing.start(() => handOn(batch, evaluated, options.onPrediction));
      images[0]! += batch.length;
      options.onProgress?.({ images: images[0]!, seconds: secondsSince(start) });
      // Lets timers, signals and finalizers run between images.
      await new Promise(setImmediate);
    }
    await handing.end();
  });
  options.peers?.sum(images);
  return { images: images[0]!, ...accumulators.result(), seconds: secondsSince(start) };
}

async function handOn(
  batch: readonly EvaluationInput[],
  evaluated: readonly (EvaluatedImage | null)[],
  onPrediction: EvaluateOptions["onPrediction"],
): Promise<void> {
  for (const [i, image] of evaluated.entries()) if (image) await onPrediction?.(batch[i]!.name, image);
}

function secondsSince(start: number): number {
  return (performance.now() - start) / 1000;
}

/** Yields neighbours whose images and labels have the same sizes, up to `batchSize` of them. */
async function* batchesOf(
  images: AsyncIterable<EvaluationInput>,
  batchSize: number,
): AsyncGenerator<EvaluationInput[]> {
  let batch: EvaluationInput[] = [];
  for await (const image of images) {
    if (batch.length > 0 && shapeOf(batch[0]!) !== shapeOf(image)) {
      yield batch;
      batch = [];
    }
    batch.push(image);
    if (batch.length < batchSize) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

function shapeOf({ size, label }: EvaluationInput): string {
  return `${size.join("×")} ${label?.height}×${label?.width}`;
}

/** All that is counted. */
class Accumulators {
  readonly #options: EvaluateOptions;
  readonly #confusion: ConfusionMatrix;
  readonly #worst: WorstImages;
  readonly #boundary: BoundaryIou | null;
  readonly #errorSplit: ErrorSplit | null;

  constructor(options: EvaluateOptions) {
    this.#options = options;
    this.#confusion = new ConfusionMatrix(options.numClasses);
    this.#worst = new WorstImages(options.worst ?? 10, options.worstBy);
    this.#boundary = options.boundary ? new BoundaryIou(options.numClasses) : null;
    this.#errorSplit = options.errorSplit ? new ErrorSplit(options.errorSplit) : null;
  }

  /** Counts images of one size, and returns the predictions where they were made. */
  addBatch(batch: readonly EvaluationInput[]): (EvaluatedImage | null)[] {
    const labels = batch.map(labelOf);
    try {
      return tidy(() => {
        const images = this.#imagesOf(batch);
        return this.#needsMaps()
          ? this.#addMaps(batch, labels, images)
          : this.#addLogits(batch, labels, images);
      });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const names = batch.map(({ name }) => name).join(", ");
      const Kind = isNonFiniteLogits(error) ? NonFiniteLogitsError : Error;
      throw new Kind(`evaluate(): could not evaluate ${names}: ${reason}`, { cause: error });
    }
  }

  result(): Omit<EvaluationResult, "images" | "seconds"> {
    const { peers } = this.#options;
    if (peers) this.#join(peers);
    return {
      confusion: this.#confusion,
      metrics: computeMetrics(this.#confusion),
      ...(this.#boundary ? { boundary: this.#boundary.result() } : {}),
      ...(this.#errorSplit ? { errorSplit: this.#errorSplit.result() } : {}),
      worst: this.#worst.list(),
    };
  }

  #join(peers: EvaluationPeers): void {
    for (const part of [this.#confusion, this.#boundary, this.#errorSplit]) if (part) peers.sum(part.counts);
    this.#worst.keepWorst(peers.gather(this.#worst.list()).flat());
  }

  #needsMaps(): boolean {
    const { inference = {}, onPrediction } = this.#options;
    return Boolean(this.#boundary || this.#errorSplit || onPrediction || !isPlain(inference));
  }

  #imagesOf(batch: readonly EvaluationInput[]): Tensor {
    const tensors = batch.map((input) => imageTensor(input, this.#options.device));
    return tensors.length === 1 ? tensors[0]! : ops.cat(tensors, 0);
  }

  #addLogits(batch: readonly EvaluationInput[], labels: readonly LabelImage[], images: Tensor): null[] {
    const logits = inferenceMode(() => lowLogits(this.#options.predictLogits, images));
    return batch.map(({ name }, i) => {
      const { height, width, data } = labels[i]!;
      const added = this.#confusion.add(logits.narrow(0, i, 1), fromTypedArray(data, [1, height, width]));
      this.#worst.add(name, added);
      return null;
    });
  }

  #addMaps(
    batch: readonly EvaluationInput[],
    labels: readonly LabelImage[],
    images: Tensor,
  ): EvaluatedImage[] {
    const { numClasses } = this.#options;
    const { height, width } = labels[0]!;
    const maps = this.#predict(images, [height, width]);
    return batch.map(({ name, coarse }, i) => {
      const own = <T extends Uint8Array | Float32Array>(all: T) => ({
        height,
        width,
        data: all.subarray(i * height * width, (i + 1) * height * width) as T,
      });
      const prediction = own(maps.labels);
      const label = labels[i]!;
      const confusion = new ConfusionMatrix(numClasses).addMaps(label.data, prediction.data);
      this.#confusion.merge(confusion);
      this.#worst.add(name, confusion);
      this.#boundary?.add(label, prediction);
      if (coarse) this.#errorSplit?.add({ fine: label, coarse, prediction });
      return { prediction, label, confusion, confidence: maps.confidence && own(maps.confidence) };
    });
  }

  /** Classes of all images one after another, and their confidence where it is asked for. */
  #predict(
    images: Tensor,
    size: Size,
  ): { readonly labels: Uint8Array; readonly confidence: Float32Array | null } {
    const { predictLogits, inference, indicator } = this.#options;
    if (!indicator) {
      const labels = predictLabels(predictLogits, images, size, inference);
      return { labels: labels.toTypedArray() as Uint8Array, confidence: null };
    }
    const found = predictWithConfidence(predictLogits, images, size, { ...inference, indicator });
    return { labels: found.labels.toTypedArray() as Uint8Array, confidence: floats(found.confidence) };
  }
}

function labelOf({ name, label }: EvaluationInput): LabelImage {
  if (label) return label;
  throw new Error(`evaluate(): ${name} has no label; predict labels images without one`);
}
