import { describe, expect, test } from "vitest";
import { summarise } from "../networks/index.ts";
import {
  fitTraining,
  fittedSentence,
  LARGE,
  type Machine,
  MIDDLE,
  PAPER_NETWORK,
  SMALL,
  type TrainingSize,
} from "./fit-training.ts";

const LAPTOP: Machine = { device: "cpu", rate: 12e9, precision: "float32", isMeasured: true };
const SERVER: Machine = { ...LAPTOP, rate: 400e9, precision: "bfloat16" };
const GPU: Machine = { device: "cuda", rate: 3e12, precision: "float16", isMeasured: true };

const CAMVID: TrainingSize = { imageSize: [360, 480], images: 367, validationImages: 101 };
const PHOTOS: TrainingSize = { imageSize: [3000, 4000], images: 40, validationImages: 10 };

test.each([SMALL, MIDDLE, LARGE, PAPER_NETWORK])(
  "the work of $network is what summarise counts",
  (candidate) => {
    const { multiplyAdds } = summarise({ ...candidate.model, classes: 19 }, { crop: [512, 1024] });
    expect(Math.abs(multiplyAdds / (512 * 1024) / candidate.multiplyAddsPerPixel - 1)).toBeLessThan(0.001);
  },
);

describe("two processor cores", () => {
  test("take ResNet-18 up to stage 3 for an hour, at a size that leaves enough iterations", () => {
    const fitted = fitTraining(LAPTOP, CAMVID, 1);
    expect(fitted.model).toMatchObject({ backbone: "resnet18", stages: 3, headChannels: 128 });
    expect(fitted).toMatchObject({ base: [288, 384], crop: [192, 256], batchSize: 8, curveMultiplier: 10 });
    expect(fitted.classWeights).toBe("inverse-log");
    // 8·192·256 pixels of 36,442 multiply-adds at 12e9 a second, in three quarters of an hour.
    expect(fitted.iterationSeconds).toBeCloseTo(1.194, 3);
    expect(fitted.iterations).toBe(2_200);
    expect(fitted.hours).toBeLessThan(1);
    expect(fitted.hours).toBeGreaterThan(0.9);
  });

  test("take more for more hours, never less", () => {
    const work = (hours: number) => {
      const { crop, batchSize, iterations, model } = fitTraining(LAPTOP, CAMVID, hours);
      return { pixels: crop[0] * crop[1], total: crop[0] * crop[1] * batchSize * iterations, model };
    };
    const [one, four, day] = [work(1), work(4), work(24)];
    expect(four.pixels).toBeGreaterThan(one.pixels);
    expect(four.total).toBeGreaterThan(one.total);
    expect(day.model).toMatchObject({ backbone: "resnet50" });
  });

  test("do what they can in too short a time, and say so", () => {
    const fitted = fitTraining(LAPTOP, PHOTOS, 0.02);
    expect(fitted).toMatchObject({ iterations: 200, batchSize: 4 });
    expect(fitted.hours).toBeGreaterThan(0.02);
    expect(fittedSentence(LAPTOP, fitted, 0.02)).toMatch(/, more than was asked for/);
  });

  test("shrink large photographs so that a crop covers two thirds of their sides, and keep their shape", () => {
    const { base, crop } = fitTraining(LAPTOP, PHOTOS, 1);
    expect(base).toEqual([288, 384]);
    expect(crop).toEqual([192, 256]);
    expect(fitTraining(LAPTOP, { ...PHOTOS, imageSize: [4000, 3000] }, 1).crop).toEqual([256, 192]);
  });

  test("keep small images as they are, with batches no larger than there are images", () => {
    const tiny = { imageSize: [100, 130], images: 3, validationImages: 1 } as const;
    expect(fitTraining(LAPTOP, tiny, 1)).toMatchObject({ base: null, crop: [96, 128], batchSize: 3 });
  });

  test("end sooner where few images are seen often enough, and evaluate as often as a tenth of the time allows", () => {
    const few = fitTraining(SERVER, PHOTOS, 8);
    expect(few.iterations).toBe(2_000);
    expect(few.hours).toBeLessThan(4);
    const many = fitTraining(LAPTOP, { ...CAMVID, validationImages: 5_000 }, 1);
    expect(many.evaluateEvery).toBeGreaterThan(many.iterations / 4);
    const normal = fitTraining(LAPTOP, CAMVID, 1);
    expect(normal.evaluateEvery).toBe(normal.iterations / 10);
  });
});

test("a fast processor takes a larger network in the same time", () => {
  expect(fitTraining(SERVER, CAMVID, 1).model).toMatchObject({ backbone: "resnet50", headChannels: 256 });
});

describe("a GPU", () => {
  const cityscapes = { imageSize: [1024, 2048], images: 2975, validationImages: 500 } as const;

  test("takes the paper's: ResNet-101, 16 images of 512x1024, SGD 0.02, 40,000 iterations, where there is time", () => {
    const fitted = fitTraining(GPU, cityscapes, 60);
    expect(fitted.model).toEqual({ backbone: "resnet101" });
    expect(fitted).toMatchObject({
      base: null,
      crop: [512, 1024],
      optimizer: { learningRate: 0.02 },
      schedule: "paper",
    });
    expect([fitted.batchSize * fitted.accumulate, fitted.iterations, fitted.curveMultiplier]).toEqual([
      16, 40_000, 1,
    ]);
  });

  test("takes fewer iterations in an hour, and then the curve's multiplier", () => {
    const fitted = fitTraining(GPU, cityscapes, 1);
    expect(fitted.iterations).toBeLessThan(2_000);
    expect(fitted.curveMultiplier).toBe(10);
    expect(fitted.classWeights).toBe("none");
    expect(fitTraining(GPU, PHOTOS, 1)).toMatchObject({ base: [1536, 2048], crop: [640, 832] });
  });
});

test("one sentence says what was chosen, and what a GPU would get", () => {
  expect(fittedSentence(LAPTOP, fitTraining(LAPTOP, CAMVID, 1), 1)).toBe(
    "Training, for about 58 minutes (1.2 s an iteration, measured on this machine's processors): ResNet-18 up to stage 3 with the " +
      "original head, 128 wide; images shrunk to 288x384, crops of 192x256, 8 per update, 2,200 iterations, float32. `--hours 8` takes more " +
      "time and a larger network; on a GPU it would be the paper's: ResNet-101, a head 512 wide, crops of 512x1024, 40,000 iterations of 16.",
  );
  const assumed = { ...LAPTOP, isMeasured: false };
  expect(fittedSentence(assumed, fitTraining(assumed, CAMVID, 1), 1)).toMatch(
    /assumed, as libtorch is not set up here/,
  );
});
