import { distanceToOther } from "../coarsen/border-distance.ts";
import type { EvaluationSettings } from "../config/build-evaluation.ts";
import { ConfigError } from "../config/read-config.ts";
import { readLabel } from "../data/labels/read-label.ts";
import type { Annotation, Dataset, Sample } from "../data/sample.ts";
import { type DistributedContext, ONE_PROCESS } from "../distributed/context.ts";
import { type EvaluatedImage, type EvaluationResult, evaluate, type Network } from "../evaluation/index.ts";
import type { Segmenter } from "../networks/index.ts";
import type { EvaluationImage } from "../pipeline/index.ts";
import type { EvaluationRecord } from "../runs/records.ts";

/** Returns the network as evaluation sees it: images to low-resolution logits. */
export function logitsOf(network: Segmenter): Network {
  return (images) => network.call(images).logits;
}

/** Whole images of a split, in the form that evaluation takes them. */
export async function* labelled(images: AsyncIterable<EvaluationImage>, coarse?: CoarseLabels) {
  for await (const image of images) {
    const { sample, label } = image;
    if (!label) throw new ConfigError(`evaluation: ${sample.image} has no label; choose another split`);
    const annotation = coarse?.get(sample.name);
    const drawn = annotation && (await readLabel(annotation, [label.height, label.width]));
    yield { ...image, label, name: sample.name, ...(drawn && { coarse: drawn }) };
  }
}

/** Where the coarse labels of images lie, by the name of the sample. */
export type CoarseLabels = ReadonlyMap<string, Annotation>;

export interface ScoreOptions {
  readonly settings: EvaluationSettings;
  readonly dataset: Dataset;
  readonly predictLogits: Network;
  /** Processes that share the images, each with the same network; all of them get the scores of the whole. Default one. */
  readonly context?: DistributedContext;
  /** Coarse labels beside the data set's fine ones: the errors are then split by what these say. */
  readonly coarse?: CoarseLabels;
  readonly onProgress?: (images: number) => void;
  /** Receives what was predicted for each image of this process, with the confidence. Default: it is not computed. */
  readonly onImage?: (sample: Sample, image: EvaluatedImage) => Promise<void>;
}

export interface ValidateOptions extends Omit<ScoreOptions, "predictLogits"> {
  readonly network: Segmenter;
}

/** Runs `body` with a network in evaluation mode, and puts it back into the mode that it was in. */
export async function inEvaluationMode<T>(network: Segmenter, body: () => Promise<T>): Promise<T> {
  const wasTraining = network.isTraining;
  network.eval();
  try {
    return await body();
  } finally {
    network.train(wasTraining);
  }
}

/** Scores a network on a split. The network is in evaluation mode meanwhile, and as it was afterwards. */
export function validate({ network, ...options }: ValidateOptions): Promise<EvaluationResult> {
  return inEvaluationMode(network, () => score({ ...options, predictLogits: logitsOf(network) }));
}

/** Scores what gives logits, a network or an exported model, on a split. */
export async function score({
  settings,
  dataset,
  predictLogits,
  context = ONE_PROCESS,
  coarse,
  onProgress,
  onImage,
}: ScoreOptions): Promise<EvaluationResult> {
  const own = dataset.samples.filter((_, i) => i % context.worldSize === context.rank);
  const byName = new Map(own.map((sample) => [sample.name, sample]));
  await using reader = settings.read(own);
  return await evaluate({
    predictLogits,
    numClasses: dataset.classes.length,
    images: labelled(reader, coarse),
    inference: settings.inference,
    device: settings.device,
    boundary: settings.boundary,
    ...(coarse && { errorSplit: { borderDistance: distanceToOther } }),
    peers: context,
    onProgress: ({ images }) => onProgress?.(images),
    ...(onImage && {
      indicator: settings.indicator,
      onPrediction: (name: string, image: EvaluatedImage) => onImage(byName.get(name)!, image),
    }),
  });
}

/** Returns the scores as a line of the log. */
export function evaluationRecord(
  outcome: EvaluationResult,
  iteration: number,
  split: string,
  isLast: boolean,
): EvaluationRecord {
  const { metrics, boundary, confusion, images } = outcome;
  return {
    kind: "evaluation",
    iteration,
    split,
    images,
    aAcc: metrics.aAcc,
    mAcc: metrics.mAcc,
    mIoU: metrics.mIoU,
    iou: metrics.iou,
    accuracy: metrics.accuracy,
    ...(boundary && { boundaryIoU: boundary.mean }),
    ...(isLast && { confusion: confusion.toArray() }),
  };
}
