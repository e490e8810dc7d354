import type { Tensor } from "@armseg/torch";
import { noGrad, ops } from "@armseg/torch";
import { onTestDevice, testDevice } from "@armseg/torch/testing";
import { describe, expect, test } from "vitest";
import { type SegmenterConfig, segmenter } from "./segmenter.ts";

function count(module: { parameters(): Iterable<Tensor> } | null): number {
  return module === null ? 0 : [...module.parameters()].reduce((sum, { numel }) => sum + numel, 0);
}

/** A network that is built and called within seconds. */
const SMALL = {
  backbone: "resnet18",
  classes: 3,
  headChannels: 16,
  auxiliaryChannels: 8,
  outputStride: 32,
} as const;

describe("parameter counts of the recipes", () => {
  const trunks = {
    resnet50: 23_527_264,
    resnet101: 42_519_392,
    resnest50: 25_434_240,
    resnest101: 46_226_016,
  } as const;
  const deeplab = { 19: 17_697_923, 150: 17_765_126 } as const;
  const auxiliary = { 19: 2_364_691, 150: 2_398_358 } as const;
  const totals: [SegmenterConfig["backbone"], "deeplabV3Plus" | "ocr", 19 | 150, number][] = [
    ["resnet50", "deeplabV3Plus", 19, 43_589_878],
    ["resnet101", "deeplabV3Plus", 19, 62_582_006],
    ["resnest50", "deeplabV3Plus", 19, 45_496_854],
    ["resnest101", "deeplabV3Plus", 19, 66_288_630],
    ["resnet50", "deeplabV3Plus", 150, 43_690_748],
    ["resnet101", "deeplabV3Plus", 150, 62_682_876],
    ["resnest101", "deeplabV3Plus", 150, 66_389_500],
    ["resnet50", "ocr", 19, 36_524_166],
    ["resnet101", "ocr", 19, 55_516_294],
    ["resnet50", "ocr", 150, 36_625_036],
    ["resnet101", "ocr", 150, 55_617_164],
  ];

  for (const [backbone, head, classes, total] of totals) {
    test(`${head} on ${backbone} with ${classes} classes has ${total}`, () => {
      using network = segmenter({ backbone, head, classes });
      expect(count(network)).toBe(total);
      expect(count(network.backbone)).toBe(trunks[backbone as keyof typeof trunks]);
      if (head === "ocr") return;
      expect(count(network.decodeHead)).toBe(deeplab[classes]);
      expect(count(network.auxiliaryHead)).toBe(auxiliary[classes]);
    });
  }

  test("the 7x7 stem has fewer", () => {
    using network = segmenter({ backbone: "resnet50", stem: "v1", classes: 19 });
    expect(count(network.backbone)).toBe(23_508_032);
  });
});

describe("segmenter", () => {
  test("gives logits at a quarter of the size, the auxiliary ones in training only", () => {
    using network = segmenter({ ...SMALL, logScale: true }).to({ device: testDevice });
    const images = onTestDevice(ops.randn([2, 3, 64, 96]));
    const inTraining = network.call(images);
    expect(inTraining.logits.shape).toEqual([2, 3, 16, 24]);
    expect(inTraining.auxiliary?.shape).toEqual([2, 3, 4, 6]);
    expect(inTraining.logScale?.shape).toEqual([2, 1, 16, 24]);
    expect(inTraining.logits.isContiguous("channels_last")).toBe(true);
    network.eval();
    expect(Object.keys(noGrad(() => network.call(images)))).toEqual(["logits", "logScale"]);
  });

  test("starts s of the KL loss near 1 and logits near 0", () => {
    using network = segmenter({ ...SMALL, logScale: true }).to({ device: testDevice });
    const { logits, logScale } = network.call(onTestDevice(ops.randn([2, 3, 64, 64])));
    expect(logScale?.abs().max().item()).toBeLessThan(0.05);
    expect(logits.abs().max().item()).toBeLessThan(1);
  });

  test("does without auxiliary head where told so", () => {
    using network = segmenter({ ...SMALL, auxiliary: false }).to({ device: testDevice });
    expect(network.auxiliaryHead).toBeNull();
    expect(network.call(onTestDevice(ops.randn([2, 3, 64, 64]))).auxiliary).toBeUndefined();
  });

  test("refuses a batch of one in training, and says what to do", () => {
    using network = segmenter(SMALL).to({ device: testDevice });
    expect(network.minimumTrainingBatch).toBe(2);
    const one = onTestDevice(ops.randn([1, 3, 64, 64]));
    expect(() => network.call(one)).toThrow(/at least 2 images in training, got 1.*raise the batch size/s);
    network.eval();
    expect(noGrad(() => network.call(one)).logits.shape).toEqual([1, 3, 16, 16]);
  });

  test("takes a batch of one where nothing is normalised behind a global pooling", () => {
    using network = segmenter({ ...SMALL, head: "ocr", keyChannels: 8 }).to({ device: testDevice });
    expect(network.minimumTrainingBatch).toBe(1);
    expect(network.call(onTestDevice(ops.randn([1, 3, 64, 64]))).auxiliary?.shape).toEqual([1, 3, 4, 4]);
  });

  test("reaches every parameter with a gradient", () => {
    using network = segmenter({ ...SMALL, logScale: true }).to({ device: testDevice });
    const { logits, auxiliary, logScale } = network.call(onTestDevice(ops.randn([2, 3, 64, 64])));
    const parts = [logits, auxiliary as Tensor, logScale as Tensor].map((part) => part.square().sum());
    parts.reduce((sum, part) => sum.add(part)).backward();
    const without = [...network.namedParameters()]
      .filter(([, { grad }]) => grad === null)
      .map(([name]) => name);
    expect(without).toEqual([]);
    network.zeroGrad();
  });

  test("names what does not fit", () => {
    expect(() => segmenter({ ...SMALL, classes: 0 })).toThrow(
      "expected classes to be a whole number of at least 1, got 0",
    );
    expect(() => segmenter({ backbone: "hrnetW18", classes: 3 })).toThrow(
      /four stages for head deeplabV3Plus, got hrnetW18/,
    );
  });
});
