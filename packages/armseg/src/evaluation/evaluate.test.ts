import { fromTypedArray, getThreads, memory, setThreads } from "@armseg/torch";
import { onTestDevice, testDevice } from "@armseg/torch/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NonFiniteLogitsError } from "./bands.ts";
import { ConfusionMatrix } from "./confusion-matrix.ts";
import { type EvaluatedImage, type EvaluationInput, type EvaluationPeers, evaluate } from "./evaluate.ts";
import { predictLabels } from "./inference.ts";
import type { LabelImage, Network } from "./maps.ts";
import { predictImage } from "./predict.ts";

const threads = getThreads();
beforeAll(() => setThreads(1));
afterAll(() => setThreads(threads));

/** The mean of 4×4 pixels of each channel is the logit of a class. */
const network: Network = (images) => images.avgPool2d([4, 4], [4, 4]);
let calls: (readonly number[])[] = [];
const watched: Network = (images) => {
  calls.push(images.shape);
  return network(images);
};

/** An image of noise of its own, made when it is asked for. */
function imageOf(index: number, [height, width]: readonly [number, number] = [24, 32]): EvaluationInput {
  const image = Float32Array.from({ length: 3 * height * width }, (_, i) =>
    Math.sin(i * 0.37 + index * 1.3 + (i >> 5)),
  );
  const label = {
    height: 30,
    width: 40,
    data: Uint8Array.from({ length: 1200 }, (_, i) => ((i >> 4) + index) % 4),
  };
  for (let i = 0; i < 1200; i++) if (label.data[i] === 3) label.data[i] = 255;
  const coarse = { ...label, data: label.data.map((value, i) => (i % 3 === 0 ? 255 : value)) };
  return { name: `image ${index}`, image, size: [height, width], label, coarse };
}

async function* imagesOf(count: number): AsyncGenerator<EvaluationInput> {
  for (let index = 0; index < count; index++) yield imageOf(index);
}

const base = { predictLogits: watched, numClasses: 3, images: imagesOf(0), device: testDevice };

/** Computed image by image with what is tested elsewhere. */
function expectedConfusion(count: number): ConfusionMatrix {
  const total = new ConfusionMatrix(3);
  for (let index = 0; index < count; index++) {
    const { image, label } = imageOf(index);
    using tensor = onTestDevice(fromTypedArray(image as Float32Array, [1, 3, 24, 32]));
    using labels = predictLabels(network, tensor, [30, 40]);
    total.addMaps(label!.data, labels.toTypedArray() as Uint8Array);
  }
  return total;
}

describe("evaluate()", () => {
  test("the confusion matrix of the set, by kernel, by maps, in batches", async () => {
    const expected = expectedConfusion(7);
    for (const options of [{}, { batchSize: 3 }, { boundary: true }, { batchSize: 2, boundary: true }]) {
      const result = await evaluate({ ...base, images: imagesOf(7), ...options });
      expect(result.confusion.counts).toEqual(expected.counts);
      expect(result.images).toBe(7);
      expect(result.metrics.pixels).toBe(expected.counts.reduce((a, b) => a + b));
      expect(result.worst).toHaveLength(7);
      expect(result.boundary === undefined).toBe(!("boundary" in options));
    }
  });

  test("batches hold neighbours of one size", async () => {
    calls = [];
    const sizes = [
      [24, 32],
      [24, 32],
      [24, 32],
      [32, 24],
      [24, 32],
    ] as const;
    async function* images() {
      for (const [index, size] of sizes.entries()) yield imageOf(index, size);
    }
    await evaluate({ ...base, images: images(), batchSize: 2 });
    expect(calls).toEqual([
      [2, 3, 24, 32],
      [1, 3, 24, 32],
      [1, 3, 32, 24],
      [1, 3, 24, 32],
    ]);
  });

  test("predictions, progress, error split, worst images, through windows and views", async () => {
    const seen: [string, LabelImage][] = [];
    const progress: number[] = [];
    const result = await evaluate({
      ...base,
      images: imagesOf(3),
      inference: { augmentation: "mmseg", window: { crop: [16, 16], stride: [8, 8] } },
      errorSplit: { borderDistance: ({ data }) => data.map(() => 4) },
      worst: 1,
      worstBy: "aAcc",
      onPrediction: async (name, { prediction, confidence }) => {
        await Promise.resolve();
        expect(confidence).toBeNull();
        seen.push([name, prediction]);
      },
      onProgress: ({ images }) => progress.push(images),
    });
    expect(progress).toEqual([1, 2, 3]);
    expect(seen.map(([name, { height, width }]) => [name, height, width])).toEqual([
      ["image 0", 30, 40],
      ["image 1", 30, 40],
      ["image 2", 30, 40],
    ]);
    const again = new ConfusionMatrix(3);
    for (const [index, [, { data }]] of seen.entries()) again.addMaps(imageOf(index).label!.data, data);
    expect(result.confusion.counts).toEqual(again.counts);
    expect(result.errorSplit?.all.pixels).toBe(result.metrics.pixels);
    expect(result.errorSplit?.byState.void.pixels).toBeGreaterThan(0);
    expect(result.errorSplit?.byState.wrong.pixels).toBe(0);
    expect(result.worst).toHaveLength(1);
  });

  test("with an indicator, each prediction comes with its label, its confusion and its confidence", async () => {
    const images: EvaluatedImage[] = [];
    const onPrediction = (_: string, image: EvaluatedImage) => void images.push(image);
    const result = await evaluate({ ...base, images: imagesOf(2), indicator: "var", onPrediction });
    const total = new ConfusionMatrix(3);
    for (const [i, { label, prediction, confusion, confidence }] of images.entries()) {
      total.merge(confusion);
      const { label: given, ...input } = imageOf(i);
      expect(label).toEqual(given);
      const alone = predictImage(base.predictLogits, { ...input }, { originalSize: [30, 40] });
      expect(prediction).toEqual(alone.label);
      expect(confidence).toEqual(alone.confidence);
    }
    expect(total.counts).toEqual(result.confusion.counts);
    const without = await evaluate({ ...base, images: imagesOf(2) });
    expect(result.metrics.mIoU).toBeCloseTo(without.metrics.mIoU, 6);
  });

  test("the next image is read and predicted while a prediction is handed on, and all are handed on before the end", async () => {
    const log: string[] = [];
    let endFirst = () => {};
    const first = new Promise<void>((resolve) => {
      endFirst = resolve;
    });
    async function* images() {
      for (const index of [0, 1, 2]) {
        log.push(`read ${index}`);
        yield imageOf(index);
      }
    }
    await evaluate({
      ...base,
      images: images(),
      predictLogits: (input) => {
        if (log.includes("predict")) endFirst(); // if the second waited for the first to be handed on, it would in vain
        log.push("predict");
        return base.predictLogits(input);
      },
      onPrediction: async (name) => {
        log.push(`begin ${name}`);
        if (name === "image 0") await first;
        log.push(`end ${name}`);
      },
    });
    expect(log.filter((line) => line.startsWith("end"))).toEqual([
      "end image 0",
      "end image 1",
      "end image 2",
    ]);
    expect(log.slice(0, 3)).toEqual(["read 0", "read 1", "predict"]);
    expect(log.indexOf("begin image 1")).toBeGreaterThan(log.indexOf("end image 0"));
  });

  test("a prediction that cannot be handed on ends the evaluation", async () => {
    const onPrediction = () => Promise.reject(new Error("disk full"));
    await expect(evaluate({ ...base, images: imagesOf(1), onPrediction })).rejects.toThrow("disk full");
  });

  test("an error names the image", async () => {
    async function* withBadLabel() {
      yield imageOf(0);
      const bad = imageOf(1);
      bad.label!.data[41] = 34;
      yield bad;
    }
    await expect(evaluate({ ...base, images: withBadLabel() })).rejects.toThrow(
      /evaluate\(\): could not evaluate image 1: .*label 34 at (image 0, row 1, column 1|pixel 41)/s,
    );
    async function* withoutLabel() {
      yield { ...imageOf(5), label: null };
    }
    await expect(evaluate({ ...base, images: withoutLabel() })).rejects.toThrow(/image 5 has no label/);
    await expect(evaluate({ ...base, numClasses: 4, images: imagesOf(1) })).rejects.toThrow(
      /expected logits of 4 classes, got \[1, 3, 6, 8\]/,
    );
  });

  test("tensors as images", async () => {
    const { image, ...rest } = imageOf(0);
    using held = fromTypedArray(image as Float32Array, [1, 3, 24, 32]);
    async function* images() {
      yield { ...rest, image: held };
    }
    const result = await evaluate({ ...base, images: images() });
    expect(result.confusion.counts).toEqual(expectedConfusion(1).counts);
    expect(held.isDisposed).toBe(false);
  });
});

describe("memory is constant over 500 images", () => {
  const choices = {
    "straight to the confusion matrix": {},
    "through label maps": { boundary: true },
  };

  test.each(Object.entries(choices))("%s", async (_, options) => {
    const rss: number[] = [];
    const live: number[] = [];
    // 0.4 MB of image and label each: 500 of them would fill 200 MB.
    async function* images() {
      for (let index = 0; index < 500; index++) {
        const label = { height: 160, width: 200, data: new Uint8Array(32_000).fill(index % 3) };
        yield {
          name: `image ${index}`,
          image: new Float32Array(3 * 180 * 180).fill(index),
          size: [180, 180] as const,
          label,
        };
      }
    }
    const onProgress = ({ images: done }: { images: number }) => {
      live.push(memory().tensors);
      if (done >= 100 && done % 20 === 0) rss.push(process.memoryUsage().rss);
    };
    // The memory of the process is the CPU's.
    const device = "cpu";
    await evaluate({ ...base, predictLogits: network, images: images(), device, ...options, onProgress });
    expect(new Set(live).size).toBe(1);
    // The garbage collector comes when it likes; the level that it comes down to must not rise.
    const lowest = (part: readonly number[]) => Math.min(...part);
    const growth = lowest(rss.slice(rss.length >> 1)) - lowest(rss.slice(0, rss.length >> 1));
    expect(growth).toBeLessThan(32 * 2 ** 20);
  });
});

test("where one of several processes meets NaN, all of them throw, and none waits", async () => {
  const said: unknown[] = [];
  /** The peers of a process whose other one says this. */
  const beside = (other: string | null): EvaluationPeers => ({
    sum: () => {},
    gather: <T>(value: T) => {
      said.push(value);
      return [value, other as T];
    },
  });
  const broken: Network = (images) => network(images).mul(Number.NaN);
  const own = evaluate({ ...base, predictLogits: broken, images: imagesOf(1), peers: beside(null) });
  await expect(own).rejects.toThrow(/^evaluate\(\): could not evaluate image 0: /);
  await expect(own).rejects.toThrow(NonFiniteLogitsError);
  expect(said).toEqual([expect.stringContaining("image 0")]);
  const others = evaluate({ ...base, images: imagesOf(1), peers: beside("NaN in image 7") });
  await expect(others).rejects.toThrow(new NonFiniteLogitsError("NaN in image 7"));
});
