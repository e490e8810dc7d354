import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import type { LabelMap, Sample } from "../../data/sample.ts";

const LABELS: LabelMap = { encoding: "values", classes: { 0: 0, 1: 1, 2: 2, 3: 3, 255: 255 } };

/** A folder of small random images with labels of four classes, for tests; `remove` it in the end. */
export interface ImageFolder {
  readonly folder: string;
  readonly samples: readonly Sample[];
  remove(): void;
}

export async function imageFolder(count: number, height = 40, width = 60): Promise<ImageFolder> {
  const folder = mkdtempSync(join(tmpdir(), "armseg-pipeline-"));
  const samples: Sample[] = [];
  for (let i = 0; i < count; i++) samples.push(await writeSample(folder, i, height, width));
  return { folder, samples, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

async function writeSample(folder: string, index: number, height: number, width: number): Promise<Sample> {
  const name = `sample-${String(index).padStart(3, "0")}`;
  const [image, label] = [join(folder, `${name}.png`), join(folder, `${name}_label.png`)];
  const rgb = Uint8Array.from(
    { length: height * width * 3 },
    (_, i) => Math.imul(i + 1, 2654435761 + 7919 * index) >>> 20,
  );
  const stripes = (i: number) => (i % width < index % 3 ? 255 : (((i % width) + index) % 7) >> 1);
  const classes = Uint8Array.from({ length: height * width }, (_, i) => stripes(i));
  await sharp(rgb, { raw: { height, width, channels: 3 } })
    .png()
    .toFile(image);
  await sharp(classes, { raw: { height, width, channels: 1 } })
    .toColourspace("b-w")
    .png()
    .toFile(label);
  return { name, image, annotation: { kind: "mask", path: label, labelMap: LABELS } };
}
