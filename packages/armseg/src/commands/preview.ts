import { augmentationOf } from "../config/augmentation-of.ts";
import { openData } from "../config/open-data.ts";
import type { Config } from "../config/schema.ts";
import { writeRgbPng } from "../data/drawing/index.ts";
import { imageSize } from "../data/read-image.ts";
import { previewSamples } from "../pipeline/index.ts";
import { sampleSheet } from "./sample-sheet.ts";

/**
 * Draws the first samples of a training with this configuration, augmented as the network will see them, with their labels.
 *
 * @returns The file.
 * @throws {Error} If the file exists.
 */
export async function writePreview(
  config: Config,
  { out, count }: { readonly out: string; readonly count: number },
): Promise<string> {
  const { samples, classes } = await openData(config.data, "train");
  const augmentation = augmentationOf(config.augmentation, await imageSize(samples[0]!.image));
  const seen = await previewSamples({ samples, augmentation, seed: config.training.seed, count });
  await writeRgbPng(out, await sampleSheet(seen, classes));
  return out;
}
