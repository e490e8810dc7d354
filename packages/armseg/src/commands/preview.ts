import { buildAugmentation } from "../config/build-loaders.ts";
import { openData } from "../config/open-data.ts";
import type { Config } from "../config/schema.ts";
import { writeNewFile } from "../core/atomic-file.ts";
import { imageThumbnail, labelThumbnail } from "../data/drawing/index.ts";
import { countValues } from "../data/labels/inspect-label.ts";
import { imageSize } from "../data/read-image.ts";
import type { ClassInfo, LabelImage, RgbImage } from "../data/sample.ts";
import { previewSamples } from "../pipeline/index.ts";
import { type LabelledImage, previewHtml } from "../report/labelled-images.ts";

/**
 * Writes a page with the first samples of a training with this configuration, augmented as the network will see them, beside
 * their labels.
 *
 * @returns The file.
 * @throws {Error} If the file exists.
 */
export async function writePreview(
  config: Config,
  { out, count }: { readonly out: string; readonly count: number },
): Promise<string> {
  const { samples, classes } = await openData(config.data, "train");
  const augmentation = buildAugmentation(config.augmentation, await imageSize(samples[0]!.image));
  const seen = await previewSamples({ samples, augmentation, seed: config.training.seed, count });
  const shown = await Promise.all(
    seen.map(async ({ name, image, label }, index) => ({
      id: String(index),
      name,
      faults: [],
      ...(await drawnImage(image)),
      ...(await drawnLabel(label, classes)),
    })),
  );
  const html = previewHtml(`Training samples of ${config.name}`, shown, classes);
  writeNewFile("writePreview", out, html, {});
  return out;
}

/** Returns what a page shows of an image. */
export async function drawnImage(image: RgbImage): Promise<Pick<LabelledImage, "image" | "imageSize">> {
  return { image: await imageThumbnail(image), imageSize: [image.height, image.width] };
}

/** Returns what a page shows of a label, and of the place of one class. */
export async function drawnLabel(
  label: LabelImage,
  classes: readonly ClassInfo[],
  marked?: number,
): Promise<Pick<LabelledImage, "label" | "labelSize" | "classes" | "box">> {
  const shares = [...countValues({ values: label.data })]
    .filter(([index]) => index < classes.length)
    .map(([index, pixels]) => ({ index, share: pixels / label.data.length }))
    .sort((a, b) => b.share - a.share);
  const box = marked === undefined ? undefined : boxOf(label, marked);
  return {
    label: await labelThumbnail(label, classes),
    labelSize: [label.height, label.width],
    classes: shares,
    ...(box && { box }),
  };
}

/** Returns the smallest box around the pixels of a class, as fractions of the label. */
function boxOf({ height, width, data }: LabelImage, index: number): LabelledImage["box"] {
  let [left, top, right, bottom] = [width, height, -1, -1];
  data.forEach((value, i) => {
    if (value !== index) return;
    const [x, y] = [i % width, Math.floor(i / width)];
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [top, bottom] = [Math.min(top, y), y];
  });
  if (bottom < 0) return undefined;
  return [left / width, top / height, (right + 1 - left) / width, (bottom + 1 - top) / height];
}
