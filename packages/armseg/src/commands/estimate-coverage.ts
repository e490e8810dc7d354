import type { TrainingObjects } from "../config/build.ts";
import type { EvaluationSettings } from "../config/build-evaluation.ts";
import { evenlySpaced } from "../core/evenly-spaced.ts";
import { countCoverage, coverageOf } from "../correction/estimate-coverage.ts";
import type { Dataset } from "../data/sample.ts";
import type { CoverageRecord } from "../runs/records.ts";
import { withAverages } from "../training/ema.ts";
import { inEvaluationMode, labelled, logitsOf } from "./validate.ts";

/** So many training images say how thoroughly the classes are labelled; more would cost time and change little. */
const MOST_IMAGES = 300;

/** Images that the network looks at for an estimate. @param images - To train on. */
export function imagesPerEstimate(images: number): number {
  return Math.min(MOST_IMAGES, images);
}

/**
 * Estimates the coverage of each class from evenly spaced training images, with the averages' weights where there are any, and
 * sets the training's offset by it. All processes call it, and get the same.
 *
 * @returns The estimate as a line of the log.
 */
export async function estimateCoverage(
  { network, ema, coverage, context }: TrainingObjects,
  settings: EvaluationSettings,
  train: Dataset,
  iteration: number,
): Promise<CoverageRecord> {
  const images = evenlySpaced(train.samples, MOST_IMAGES);
  const own = images.filter((_, i) => i % context.worldSize === context.rank);
  const count = async () => {
    await using reader = settings.read(own);
    return await countCoverage({
      predictLogits: logitsOf(network),
      numClasses: train.classes.length,
      images: labelled(reader),
      inference: settings.inference,
      device: settings.device,
      peers: context,
    });
  };
  const found = coverageOf(await withAverages(network, ema, () => inEvaluationMode(network, count)));
  coverage?.set(found);
  return { kind: "coverage", iteration, coverage: [...found] };
}
