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

  test("the original DeepLabv3+ is a fifth of it: 256 channels, 1x1 projection", () => {
    using network = segmenter({ backbone: "resnet50", head: "deeplabV3PlusOriginal", classes: 19 });
    const head = network.decodeHead.stateDict();
    const shape = (name: string) => head.get(`${name}.weight`)?.shape;
    expect(shape("bottleneck.conv")).toEqual([256, 1280, 1, 1]);
    expect(shape("c1_bottleneck.conv")).toEqual([48, 256, 1, 1]);
    expect(shape("sep_bottleneck.0.depthwise_conv.conv")).toEqual([304, 1, 3, 3]);
    expect(shape("sep_bottleneck.1.pointwise_conv.conv")).toEqual([256, 256, 1, 1]);
    expect(shape("conv_seg")).toEqual([19, 256, 1, 1]);
    const norm = 2 * 256;
    const separable = (from: number) => 9 * from + 2 * from + from * 256 + norm;
    const pyramid = 2 * (2048 * 256 + norm) + 3 * separable(2048);
    const projections = 5 * 256 * 256 + norm + (256 * 48 + 2 * 48);
    const expected = pyramid + projections + separable(304) + separable(256) + 256 * 19 + 19;
    expect([count(network.decodeHead), expected]).toEqual([3_187_587, 3_187_587]);
  });

  test("the 7x7 stem has fewer", () => {
    using network = segmenter({ backbone: "resnet50", stem: "v1", classes: 19 });
    expect(count(network.backbone)).toBe(23_508_032);
  });
});

describe("a backbone that ends early", () => {
  /** Channels and sizes of a 64x96 image's stages. */
  const stagesOf = (config: Partial<SegmenterConfig>) => {
    using network = segmenter({ ...SMALL, head: "fcn", ...config });
    network.eval();
    const stages = noGrad(() => network.backbone.call(ops.randn([1, 3, 64, 96])));
    expect(stages.map((stage) => stage.size(1))).toEqual(network.backbone.channels);
    return stages.map(({ shape }) => shape.slice(1));
  };

  test("has the whole one's first stages, under the same names", () => {
    const [first, second, third] = [
      [64, 16, 24],
      [128, 8, 12],
      [256, 8, 12],
    ];
    expect(stagesOf({ stages: 3, outputStride: 8 })).toEqual([first, second, third]);
    expect(stagesOf({ stages: 1 })).toEqual([first]);
    using network = segmenter({ ...SMALL, stages: 3 });
    expect([...network.backbone.stateDict().keys()].filter((name) => /layer[34]/.test(name))[0]).toBe(
      "layer3.0.conv1.weight",
    );
    expect([...network.backbone.stateDict().keys()].some((name) => name.startsWith("layer4"))).toBe(false);
  });

  test("of 3 of 4 stages has the known sizes: ResNet-18, ResNet-50, MobileNetV2", () => {
    const known = { resnet18: 2_802_016, resnet50: 8_562_528, mobilenetV2: 542_528 };
    const found = Object.keys(known).map((backbone) => {
      using network = segmenter({ ...SMALL, backbone: backbone as keyof typeof known, stages: 3 });
      return [backbone, count(network.backbone)];
    });
    expect(Object.fromEntries(found)).toEqual(known);
  });

  test("is dilated only as far as it goes: 3 stages reach stride 16, 2 reach 8", () => {
    expect(stagesOf({ stages: 3, outputStride: 32 }).at(-1)).toEqual([256, 4, 6]);
    expect(stagesOf({ stages: 3, outputStride: 16 }).at(-1)).toEqual([256, 4, 6]);
    expect(stagesOf({ stages: 2, outputStride: 32 }).at(-1)).toEqual([128, 8, 12]);
    expect(stagesOf({ stages: 3, outputStride: 16, backbone: "mobilenetV2" })).toEqual([
      [24, 16, 24],
      [32, 8, 12],
      [96, 4, 6],
    ]);
  });

  test("gives its heads what they read: the last, the first, the one before the last", () => {
    using network = segmenter({ ...SMALL, stages: 3, auxiliaryChannels: 8 });
    expect(network.auxiliaryHead?.convs.stateDict().get("0.conv.weight")?.shape).toEqual([8, 128, 3, 3]);
    const head = network.decodeHead.stateDict();
    expect(head.get("image_pool.1.conv.weight")?.shape).toEqual([16, 256, 1, 1]);
    expect(head.get("c1_bottleneck.conv.weight")?.shape).toEqual([48, 64, 1, 1]);
    const { logits, auxiliary } = network.call(ops.randn([2, 3, 64, 96]));
    expect([logits.shape, auxiliary?.shape]).toEqual([
      [2, 3, 16, 24],
      [2, 3, 8, 12],
    ]);
  });

  test("says what it cannot be", () => {
    expect(() => segmenter({ ...SMALL, stages: 1 })).toThrow(
      /at least 2 stages for head deeplabV3Plus.*got 1/,
    );
    expect(() => segmenter({ ...SMALL, backbone: "hrnetW18", head: "ocr", stages: 3 })).toThrow(
      /HrNet.*expected four stages, whose branches it joins, got 3.*stages: 4/s,
    );
    expect(() => segmenter({ ...SMALL, stages: 5 as 4 })).toThrow(/stages to be 1, 2, 3 or 4, got 5/);
  });
});

describe.each(["resnet18", "resnest50", "mobilenetV2"] as const)("frozen stages of %s", (backbone) => {
  const config = { ...SMALL, backbone, head: "fcn", keyChannels: 8 } as const;

  test("stay bitwise as they are, have no gradients and no graph; what follows is trained", () => {
    using network = segmenter({ ...config, frozenStages: 2 }).to({ device: testDevice });
    network.train();
    const frozen = new Set(network.backbone.stageModules().slice(0, 3).flat());
    const names = [...network.backbone.namedModules()].flatMap(([name, module]) =>
      frozen.has(module) ? [`backbone.${name}.`] : [],
    );
    const isFrozen = (name: string) => names.some((prefix) => name.startsWith(prefix));
    const before = [...network.stateDict()].map(([name, tensor]) => [name, tensor.detach().clone()] as const);
    const stages = network.backbone.call(onTestDevice(ops.randn([2, 3, 64, 64])));
    const { logits } = network.decodeHead.call(stages);
    logits.square().sum().backward();
    expect(stages.map(({ requiresGrad }) => requiresGrad)).toEqual([false, false, true, true]);
    const trained = [...network.namedParameters()].filter(([, { grad }]) => grad !== null);
    expect(trained.filter(([name]) => isFrozen(name))).toEqual([]);
    expect(trained.some(([name]) => name.startsWith("backbone."))).toBe(true);
    for (const [name, tensor] of before) {
      const now = network.stateDict().get(name) as Tensor;
      if (isFrozen(name)) expect(now.equal(tensor), name).toBe(true);
    }
    const counters = before.filter(([name]) => /num_batches_tracked/.test(name) && !isFrozen(name));
    expect(counters.some(([name]) => network.stateDict().get(name)?.item() === 1)).toBe(true);
    network.zeroGrad();
  });

  test("give in training what the whole network gives in evaluation", () => {
    using network = segmenter({ ...config, frozenStages: 4 }).to({ device: testDevice });
    using whole = segmenter(config).to({ device: testDevice });
    whole.loadStateDict(network.stateDict());
    network.train();
    whole.eval();
    const images = onTestDevice(ops.randn([1, 3, 64, 64]));
    const expected = noGrad(() => whole.backbone.call(images));
    const actual = network.backbone.call(images); // of one image too: nothing is normalised by the batch
    for (const [i, stage] of actual.entries()) expect(stage.equal(expected[i] as Tensor)).toBe(true);
  });
});

test("HRNet's frozen stages are its stem, and each stage with the transition in front of it", () => {
  using network = segmenter({ ...SMALL, backbone: "hrnetW18", head: "fcn", frozenStages: 2 });
  const trained = new Set(
    [...network.backbone.namedParameters()]
      .filter(([, { requiresGrad }]) => requiresGrad)
      .map(([name]) => name.split(".")[0]),
  );
  expect([...trained]).toEqual(["transition2", "stage3", "transition3", "stage4"]);
});

test("no more stages are frozen than there are", () => {
  expect(() => segmenter({ ...SMALL, stages: 2, frozenStages: 3 })).toThrow(
    /frozenStages to be 0 to 2, the stages there are, got 3/,
  );
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
      /several stages for head deeplabV3Plus, got hrnetW18/,
    );
  });
});
