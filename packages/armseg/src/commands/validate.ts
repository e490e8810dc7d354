import type { Device, Tensor } from "@armseg/torch";
import { ConfigError } from "../config/read-config.ts";
import type { Config } from "../config/schema.ts";
import type { Dataset } from "../data/sample.ts";
import type { World } from "../distributed/world.ts";
import { type EvaluationResult, evaluate, type InferenceOptions } from "../evaluation/index.ts";
import type { Segmenter } from "../networks/index.ts";
import { createEvaluationReader, type EvaluationImage } from "../pipeline/index.ts";
import type { EvaluationRecord } from "../runs/records.ts";

/** How images become predictions, as a configuration says. */
export function inferenceOptions({ mode, crop, stride, tta }: Config["evaluation"]): InferenceOptions {
  const augmentation = tta === "none" ? null : tta;
  if (mode === "whole") return { augmentation };
  if (!crop || !stride)
    throw new ConfigError("evaluation.mode slide needs evaluation.crop and evaluation.stride");
  return { augmentation, window: { crop, stride } };
}

/** The network as evaluation sees it: images to low-resolution logits. */
export function logitsOf(network: Segmenter): (images: Tensor) => Tensor {
  return (images) => network.call(images).logits;
}

/** Whole images of a split, in the form that evaluation takes them. */
async function* labelled(images: AsyncIterable<EvaluationImage>) {
  for await (const image of images) {
    const { sample, label } = image;
    if (!label) throw new ConfigError(`evaluation: ${sample.image} has no label; choose another split`);
    yield { ...image, label, name: sample.name };
  }
}

export interface ValidateOptions {
  readonly config: Config;
  readonly dataset: Dataset;
  readonly network: Segmenter;
  /** Processes that share the images, each with the same network; all of them get the joint scores. */
  readonly world?: World | null;
  readonly onProgress?: (images: number) => void;
}

/** Scores a network on a split. The network is in evaluation mode meanwhile, and as it was afterwards. */
export async function validate({
  config,
  dataset,
  network,
  world = null,
  onProgress,
}: ValidateOptions): Promise<EvaluationResult> {
  const wasTraining = network.isTraining;
  network.eval();
  try {
    await using reader = createEvaluationReader({
      samples: world ? dataset.samples.filter((_, i) => i % world.size === world.rank) : dataset.samples,
      normalise: config.augmentation,
      base: config.evaluation.base,
      ...(config.training.workers !== undefined && { workers: config.training.workers }),
    });
    return await evaluate({
      predictLogits: logitsOf(network),
      numClasses: dataset.classes.length,
      images: labelled(reader),
      inference: inferenceOptions(config.evaluation),
      device: config.training.device as Device,
      boundary: config.evaluation.boundary,
      ...(world && { peers: world }),
      onProgress: ({ images }) => onProgress?.(images),
    });
  } finally {
    network.train(wasTraining);
  }
}

/** The scores as a line of the log. */
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
