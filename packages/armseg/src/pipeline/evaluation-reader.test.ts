import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readLabel } from "../data/labels/read-label.ts";
import { readImage } from "../data/read-image.ts";
import { IMAGENET_NORMALISE } from "./augment.ts";
import { createEvaluationReader } from "./evaluation-reader.ts";
import { normalisedLevels } from "./normalise.ts";
import { type ImageFolder, imageFolder } from "./testing/image-folder.ts";

let images: ImageFolder;
beforeAll(async () => {
  images = await imageFolder(6);
});
afterAll(() => images.remove());

test.each([0, 3])(
  "images come in the samples' order, whole and normalised, with their labels (%i threads)",
  async (workers) => {
    const { samples } = images;
    await using reader = createEvaluationReader({
      samples,
      normalise: IMAGENET_NORMALISE,
      base: null,
      workers,
      prefetch: 2,
    });
    const levels = normalisedLevels(IMAGENET_NORMALISE);
    let index = 0;
    for await (const image of reader) {
      const sample = samples[index]!;
      expect(image).toMatchObject({ index, sample, size: [40, 60], originalSize: [40, 60] });
      const expected = await readImage(sample.image);
      expect(image.image[2400 + 7]).toBe(levels[1][expected.data[7 * 3 + 1]!]);
      expect(image.label?.data).toEqual((await readLabel(sample.annotation!)).data);
      index++;
    }
    expect(index).toBe(6);
    expect(await reader.next()).toBeUndefined();
  },
);

test.each([0, 1])(
  "a picture embedded in a LabelMe file is read like its file (%i threads)",
  async (workers) => {
    const file = images.samples[0]!.image;
    const image = join(images.folder, "embedded.json");
    writeFileSync(image, JSON.stringify({ shapes: [], imageData: readFileSync(file, "base64") }));
    const samples = [images.samples[0]!, { name: "embedded", image }];
    await using reader = createEvaluationReader({
      samples,
      normalise: IMAGENET_NORMALISE,
      base: null,
      workers,
    });
    const [first, second] = [(await reader.next())!, (await reader.next())!];
    expect(second.image).toEqual(first.image);
  },
);

test("images are fitted into the base, labels stay as they are on disk; a test image has none", async () => {
  const samples = [images.samples[0]!, { name: "unlabelled", image: images.samples[1]!.image }];
  await using reader = createEvaluationReader({
    samples,
    normalise: IMAGENET_NORMALISE,
    base: [100, 120],
    workers: 1,
  });
  const [first, second] = [(await reader.next())!, (await reader.next())!];
  expect(first).toMatchObject({ size: [80, 120], originalSize: [40, 60] });
  expect(first.image).toHaveLength(3 * 80 * 120);
  expect(first.label).toMatchObject({ height: 40, width: 60 });
  expect(second.label).toBeNull();
});

test("a file that cannot be read ends the evaluation with its path", async () => {
  const samples = [images.samples[0]!, { name: "gone", image: "/nowhere/gone.png" }];
  await using reader = createEvaluationReader({
    samples,
    normalise: IMAGENET_NORMALISE,
    base: null,
    workers: 1,
  });
  await reader.next();
  await expect(reader.next()).rejects.toThrow("/nowhere/gone.png");
});
