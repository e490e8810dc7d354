import { join } from "node:path";
import { crc32 } from "node:zlib";
import { generateScene } from "@armseg/scenes";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeLabelPng } from "../data/drawing/index.ts";
import { readLabel } from "../data/labels/read-label.ts";
import type { LabelMap } from "../data/sample.ts";
import { augmentationPresets, IMAGENET_NORMALISE } from "./augment.ts";
import { allocateBatch, type BatchFormat, sampleViews } from "./batch.ts";
import { floats, golden, labelImage, rgbImage } from "./golden/read-golden.ts";
import { normalisedLevels, writeFrame } from "./normalise.ts";
import { previewSamples } from "./preview.ts";
import { wholePart } from "./resize-image.ts";
import { type ImageFolder, imageFolder } from "./testing/image-folder.ts";
import { augmentImage, fillTrainingSample, readSample, writeMap } from "./training-sample.ts";

const crc = (array: Float32Array | Uint8Array) =>
  crc32(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));

test("resize, crop, flip, distortion, normalisation and padding together equal the reference to the last bit", () => {
  const { image, label, weights, size, cases } = golden.whole;
  const weightMap = { height: size[0], width: size[1], data: floats(weights) };
  for (const { augmentation, frame, ...expected } of cases) {
    const part = wholePart(rgbImage(image, size));
    const sample = { augmentation, part, label: labelImage(label, size), weights: weightMap };
    const crop = augmentImage(sample);
    const out = new Float32Array(3 * frame[0] * frame[1]);
    writeFrame(crop, normalisedLevels(IMAGENET_NORMALISE), out, frame);
    expect(crc(out)).toBe(expected.image);
    const labels = new Uint8Array(frame[0] * frame[1]);
    writeMap(sample.label, augmentation, labels, frame, 255);
    expect(crc(labels)).toBe(expected.label);
    const weightFrame = new Float32Array(frame[0] * frame[1]);
    writeMap(weightMap, augmentation, weightFrame, frame, 0);
    expect(crc(weightFrame)).toBe(expected.weights);
  }
});

let images: ImageFolder;
beforeAll(async () => {
  images = await imageFolder(3);
});
afterAll(() => images.remove());

const KEY = { seed: 1, iteration: 2, index: 3 };

test("a part of a batch holds its sample top left, padding around it, and nothing of what was there before", async () => {
  const format: BatchFormat = {
    batchSize: 2,
    size: [100, 128],
    weights: true,
  };
  const augmentation = {
    ...augmentationPresets.camvid,
    resize: null,
    crop: { size: format.size, maxCategoryRatio: 1 },
  };
  const memory = allocateBatch(format);
  const task = {
    kind: "training",
    taughtWeight: 1,
    sample: images.samples[2]!,
    key: KEY,
    augmentation,
    format,
    memory,
    index: 1,
  } as const;
  const { image, label, weights } = sampleViews(memory, format, 1);
  image.fill(7);
  label.fill(7);
  weights?.fill(7);
  const { validPixels } = await fillTrainingSample(task, () => {});
  expect(validPixels).toBe(40 * 58);
  expect(label.filter((value) => value !== 255)).toHaveLength(validPixels);
  expect(weights?.filter((value) => value === 1)).toHaveLength(40 * 60);
  expect(weights?.filter((value) => value === 0)).toHaveLength(100 * 128 - 40 * 60);
  expect(image.subarray(60, 128).every((value) => value === 0)).toBe(true);
  expect(image.subarray(40 * 128, 100 * 128).every((value) => value === 0)).toBe(true);
  const untouched = sampleViews(memory, format, 0);
  expect(untouched.image.every((value) => value === 0)).toBe(true);
});

test("what a teacher filled is trained on, with a weight of its own; what was drawn keeps the weight of 1", async () => {
  const sample = images.samples[2]!;
  const { height, width, data } = await readLabel(sample.annotation!);
  // the first drawn pixel and the first void one get class 1
  const [drawn, empty] = [data.findIndex((value) => value !== 255), data.indexOf(255)];
  const change = data.with(empty, 1).with(drawn, data[drawn]!);
  const path = join(images.folder, "taught.png");
  const classes = ["a", "b", "c", "d"].map((name) => ({ name, color: [0, 0, 0] as const }));
  writeLabelPng(path, { height, width, data: change }, classes);
  const values = Object.fromEntries([0, 1, 2, 3, 255].map((value) => [value, value]));
  const taught = { kind: "mask", path, labelMap: { encoding: "values", classes: values } } as const;
  const format: BatchFormat = { batchSize: 1, size: [height, width], weights: true };
  const memory = allocateBatch(format);
  const whole = { ...augmentationPresets.camvid, resize: null, flip: { probability: 0 } };
  const augmentation = { ...whole, crop: { size: format.size, maxCategoryRatio: 1 } };
  const task = { kind: "training", key: KEY, augmentation, format, memory, index: 0 } as const;
  await fillTrainingSample({ ...task, sample: { ...sample, taught }, taughtWeight: 0.25 }, () => {});
  const { label, weights } = sampleViews(memory, format, 0);
  expect([label[empty], weights?.[empty]]).toEqual([1, 0.25]);
  expect([label[drawn], weights?.[drawn]]).toEqual([data[drawn], 1]);
});

test("a sample without annotation is an error that names it", async () => {
  const { image, name } = images.samples[0]!;
  const format: BatchFormat = {
    batchSize: 1,
    size: [8, 8],
    weights: false,
  };
  const task = {
    kind: "training",
    taughtWeight: 1,
    sample: { name, image },
    key: KEY,
    augmentation: augmentationPresets.camvid,
    format,
    memory: allocateBatch(format),
    index: 0,
  } as const;
  await expect(fillTrainingSample(task, () => {})).rejects.toThrow(`${name} has no annotation`);
});

test("a preview shows the samples that a training sees first, as 8-bit images", async () => {
  const options = { samples: images.samples, augmentation: augmentationPresets.camvid, seed: 5 };
  const previews = await previewSamples({ ...options, count: 4 });
  expect(previews).toHaveLength(4);
  expect(new Set(previews.slice(0, 3).map(({ name }) => name)).size).toBe(3);
  for (const { image, label, augmentation } of previews) {
    expect([image.height, image.width]).toEqual([augmentation.window.height, augmentation.window.width]);
    expect(image.data).toHaveLength(image.height * image.width * 3);
    expect([label.height, label.width]).toEqual([image.height, image.width]);
  }
  const again = await previewSamples({ ...options, count: 2 });
  expect(again.map(({ image }) => crc(image.data))).toEqual(
    previews.slice(0, 2).map(({ image }) => crc(image.data)),
  );
});

test("of a JPEG that is made small no more is decoded than is needed: the crop is that of the whole image, to some levels", async () => {
  const [height, width] = [256, 512];
  const { image } = generateScene({ seed: 1, index: 0, height, width });
  const [jpeg, full] = [join(images.folder, "photo.jpg"), join(images.folder, "photo.png")];
  // Out of focus: where neighbours differ, four of sixteen pixels, which is what the whole image is interpolated from, are not their mean.
  await sharp(image.data, { raw: { height, width, channels: 3 } })
    .blur(2)
    .jpeg({ quality: 95 })
    .toFile(jpeg);
  await sharp(jpeg).png().toFile(full);
  const label = join(images.folder, "photo_label.png");
  writeLabelPng(label, { height, width, data: new Uint8Array(height * width) }, [
    { name: "all", color: [0, 0, 0] },
  ]);
  const { labelMap } = images.samples[0]!.annotation as { labelMap: LabelMap };
  const augmentation = {
    ...augmentationPresets.camvid,
    resize: { base: [64, 128], ratioRange: [0.6, 1] },
    crop: { size: [32, 48], maxCategoryRatio: 1 },
  } as const;
  const cropOf = async (path: string, index: number) => {
    const sample = {
      name: "photo",
      image: path,
      annotation: { kind: "mask", path: label, labelMap },
    } as const;
    const drawn = await readSample(
      sample,
      { key: { ...KEY, index }, taughtWeight: 1 },
      augmentation,
      () => {},
    );
    return {
      imageSize: drawn.part.imageSize,
      crop: augmentImage({ ...drawn, augmentation: { ...drawn.augmentation, photometric: null } }),
    };
  };
  for (let index = 0; index < 4; index++) {
    const [small, whole] = [await cropOf(jpeg, index), await cropOf(full, index)];
    expect([small.imageSize, whole.imageSize]).toEqual([
      [64, 128],
      [256, 512],
    ]);
    const errors = small.crop.data.map((value, i) => Math.abs(value - whole.crop.data[i]!));
    expect(errors.reduce((sum, error) => sum + error, 0) / errors.length).toBeLessThan(3);
  }
});
