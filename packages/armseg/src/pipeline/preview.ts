import type { LabelImage, RgbImage, Sample } from "../data/sample.ts";
import type { Augmentation, AugmentationOptions } from "./augment.ts";
import { resizeLabelWindow } from "./resize-label.ts";
import { createSampler } from "./sampler.ts";
import { augmentImage, readSample } from "./training-sample.ts";

/** An augmented sample, 8-bit and without padding, to be drawn. */
export interface PreviewSample {
  readonly name: string;
  /** The crop, at most as large as asked for. */
  readonly image: RgbImage;
  readonly label: LabelImage;
  /** What was drawn for it. */
  readonly augmentation: Augmentation;
}

export interface PreviewOptions {
  readonly samples: readonly Sample[];
  readonly augmentation: AugmentationOptions;
  readonly seed: number;
  /** How many samples. */
  readonly count: number;
}

/**
 * Returns the first samples of a training with batch size 1 and this seed, augmented, as 8-bit images with their labels.
 *
 * @throws {DataError} If a file cannot be read.
 */
export async function previewSamples(options: PreviewOptions): Promise<PreviewSample[]> {
  const { samples, augmentation, seed, count } = options;
  const sampler = createSampler({ seed, sizes: [samples.length], batchSize: 1 });
  const previews: PreviewSample[] = [];
  for (let iteration = 0; iteration < count; iteration++) {
    const sample = samples[sampler.batch(iteration)[0]!.index]!;
    const drawn = await readSample(
      sample,
      { key: { seed, iteration, index: 0 }, taughtWeight: 1 },
      augmentation,
      () => {},
    );
    const { resized, window, flip } = drawn.augmentation;
    const label = resizeLabelWindow(drawn.label, resized, window, { flip });
    previews.push({ name: sample.name, image: augmentImage(drawn), label, augmentation: drawn.augmentation });
  }
  return previews;
}
