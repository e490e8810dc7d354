import type { Sample } from "../datasets/sample.ts";
import type { AugmentationOptions } from "./augment.ts";
import { createSampler } from "./sampler.ts";
import { type AugmentedSample, augmentSample } from "./training-sample.ts";

/** An augmented sample, 8-bit and without padding, to be drawn. */
export interface PreviewSample extends AugmentedSample {
  readonly name: string;
}

export interface PreviewOptions {
  readonly samples: readonly Sample[];
  readonly augmentation: AugmentationOptions;
  readonly seed: number;
  /** How many samples. */
  readonly count: number;
}

/**
 * The first samples of a training with batch size 1 and this seed, augmented, as 8-bit pictures with their labels.
 *
 * @throws {DataError} If a file cannot be read.
 */
export async function previewSamples(options: PreviewOptions): Promise<PreviewSample[]> {
  const { samples, augmentation, seed, count } = options;
  const sampler = createSampler({ seed, sizes: [samples.length], batchSize: 1 });
  const previews: PreviewSample[] = [];
  for (let iteration = 0; iteration < count; iteration++) {
    const [ref] = sampler.batch(iteration);
    const sample = samples[ref!.index]!;
    previews.push({
      name: sample.name,
      ...(await augmentSample(sample, { seed, iteration, index: 0 }, augmentation)),
    });
  }
  return previews;
}
