import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getThreads, setThreads } from "@armseg/torch";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readRawMask } from "../data/labels/raw-mask.ts";
import { ConfusionMatrix } from "../evaluation/index.ts";
import { type MapsImage, readMapsImages, readMapsInfo } from "../runs/maps/index.ts";
import { evaluateRun } from "./evaluate.ts";
import { predictRun } from "./predict.ts";
import { smallConfig } from "./testing/small-run.ts";
import { startTraining } from "./train.ts";

const folder = mkdtempSync(join(tmpdir(), "armseg-maps-"));
const run = join(folder, "run");
const threads = getThreads();

beforeAll(async () => {
  setThreads(1);
  await startTraining(smallConfig(folder, { iterations: 2, checkpointEvery: 2 }), {
    folder: run,
    stream: null,
  });
});
afterAll(() => {
  setThreads(threads);
  rmSync(folder, { recursive: true });
});

async function imagesOf(maps: string): Promise<MapsImage[]> {
  const images: MapsImage[] = [];
  for await (const image of readMapsImages(maps)) images.push(image);
  return images;
}

async function bytes(maps: string, file: string): Promise<Uint8Array> {
  return (await readRawMask(join(maps, file))).values as Uint8Array;
}

/** Counts labels against predictions as the planes have them. */
async function recount(maps: string, { planes }: MapsImage, classes: number): Promise<ConfusionMatrix> {
  const [label, prediction] = [await bytes(maps, planes.label!), await bytes(maps, planes.prediction)];
  return new ConfusionMatrix(classes).addMaps(label, prediction);
}

describe("maps", () => {
  test("eval --maps: the planes give the scores again, image by image", async () => {
    const { result, dataset, maps } = await evaluateRun({ folder: run, maps: true });
    expect(maps).toBe(join(run, "maps", "val-00000002"));
    const info = readMapsInfo(maps!);
    expect(info).toMatchObject({ run: "run", iteration: 2, split: "val", indicator: "var" });
    expect(info.classes).toEqual(dataset.classes.map(({ name, color }) => ({ name, color })));
    const images = await imagesOf(maps!);
    expect(images.map(({ image }) => image)).toEqual(dataset.samples.map(({ name }) => name));
    const total = new ConfusionMatrix(dataset.classes.length);
    for (const image of images) {
      const counted = await recount(maps!, image, dataset.classes.length);
      const listed = new ConfusionMatrix(dataset.classes.length);
      for (const [label, prediction, count] of image.confusion!)
        listed.counts[label * dataset.classes.length + prediction] = count;
      expect(listed.counts).toEqual(counted.counts);
      total.merge(counted);
      expect(existsSync(image.imageFile)).toBe(true);
      const confidence = await readRawMask(join(maps!, image.planes.confidence));
      expect([confidence.mode, confidence.bitDepth, confidence.height, confidence.width]).toEqual([
        "grey",
        8,
        ...image.size,
      ]);
    }
    expect(total.counts).toEqual(result.confusion.counts);
  });

  test("a second evaluation of the checkpoint replaces its maps and doubles no line", async () => {
    const { maps, result } = await evaluateRun({ folder: run, maps: true });
    expect(await imagesOf(maps!)).toHaveLength(result.images);
  });

  test("a training leaves the maps of its samples", async () => {
    const images = await imagesOf(join(run, "maps", "samples"));
    expect(images.length).toBeGreaterThan(0);
    for (const { planes } of images)
      expect(existsSync(join(run, "maps", "samples", planes.label!))).toBe(true);
  });

  test("predict --maps: the predictions are the planes; images have no label; nothing is overwritten unasked", async () => {
    const [first] = await imagesOf(join(run, "maps", "samples"));
    const out = join(folder, "predictions");
    const options = { folder: run, inputs: [first!.imageFile], out, maps: true };
    await predictRun(options);
    const [image] = await imagesOf(out);
    expect(image).toMatchObject({
      planes: { label: null, prediction: `${image!.image}.png` },
      confusion: null,
    });
    expect(readMapsInfo(out).split).toBeNull();
    const samples = join(run, "maps", "samples");
    expect(await bytes(out, image!.planes.prediction)).toEqual(
      await bytes(samples, first!.planes.prediction),
    );
    expect(readFileSync(join(out, image!.planes.confidence))).toEqual(
      readFileSync(join(samples, first!.planes.confidence)),
    );
    await expect(predictRun(options)).rejects.toThrow("already holds maps");
  });
});
