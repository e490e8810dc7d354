import sharp from "sharp";
import { buildAugmentation } from "../config/build-loaders.ts";
import { openData } from "../config/open-data.ts";
import type { Config } from "../config/schema.ts";
import { writeNewFile } from "../core/atomic-file.ts";
import { encodeRgbPng, overlay } from "../data/drawing/index.ts";
import { imageSize } from "../data/read-image.ts";
import type { ClassInfo, LabelImage, RgbImage } from "../data/sample.ts";
import { previewSamples } from "../pipeline/index.ts";
import { type PreviewSample, previewHtml } from "../report/preview.ts";

/** An image with its label. */
export interface LabelledImage {
  readonly name: string;
  readonly image: RgbImage;
  readonly label: LabelImage;
}

/** Images wider than this are shown smaller. */
const WIDEST = 480;
const LABEL_OPACITY = 0.65;

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
  return await writeSamplePage(out, `Training samples of ${config.name}`, seen, classes);
}

/** Writes a page with images beside their labels. @returns The file. @throws {Error} If the file exists. */
export async function writeSamplePage(
  path: string,
  title: string,
  samples: readonly LabelledImage[],
  classes: readonly ClassInfo[],
): Promise<string> {
  const shown = await Promise.all(samples.map((sample) => encoded(sample, classes)));
  writeNewFile("writeSamplePage", path, previewHtml(title, shown, classes), {});
  return path;
}

async function encoded(sample: LabelledImage, classes: readonly ClassInfo[]): Promise<PreviewSample> {
  const { name, image, label } = await shrunk(sample);
  const labelled = overlay(image, label, classes, LABEL_OPACITY);
  return { name, image: await encodeRgbPng(image), label: await encodeRgbPng(labelled) };
}

async function shrunk({ name, image, label }: LabelledImage): Promise<LabelledImage> {
  if (image.width <= WIDEST) return { name, image, label };
  const [height, width] = [Math.max(1, Math.round((image.height * WIDEST) / image.width)), WIDEST];
  const raw = { height: image.height, width: image.width, channels: 3 } as const;
  const data = await sharp(image.data, { raw }).resize(width, height, { fit: "fill" }).raw().toBuffer();
  return { name, image: { height, width, data }, label: thinned(label, [height, width]) };
}

/** Returns every n-th pixel of every n-th row. */
function thinned(
  { height, width, data }: LabelImage,
  [tall, wide]: readonly [height: number, width: number],
): LabelImage {
  const small = new Uint8Array(tall * wide);
  for (let row = 0; row < tall; row++) {
    const from = Math.floor(((row + 0.5) * height) / tall) * width;
    for (let column = 0; column < wide; column++) {
      small[row * wide + column] = data[from + Math.floor(((column + 0.5) * width) / wide)]!;
    }
  }
  return { height: tall, width: wide, data: small };
}
