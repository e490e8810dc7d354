import { ops, setThreads, tensor, tidy } from "@armseg/torch";
import { onTestDevice, testDevice } from "@armseg/torch/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { ONE_PROCESS } from "../distributed/context.ts";
import { buildBaseline, buildTraining, networkConfig, onOwnDevice, trainerSettings } from "./build.ts";
import type { TrainingData } from "./build-data.ts";
import { buildEvaluation } from "./build-evaluation.ts";
import { buildAugmentation, buildLoader } from "./build-loaders.ts";
import { checkConfig } from "./read-config.ts";
import type { Config, ConfigInput } from "./schema.ts";

beforeAll(() => setThreads(1));

const configOf = (parts: Omit<Partial<ConfigInput>, "data"> = {}): Config =>
  checkConfig(
    {
      data: { format: "scenes" },
      ...parts,
      model: { backbone: "resnet18", stem: "v1", outputStride: 32, headChannels: 8, ...parts.model },
      training: { device: testDevice, ...parts.training },
    },
    "the test",
  );

const build = (parts: Omit<Partial<ConfigInput>, "data"> = {}, classWeights: number[] | null = null) =>
  buildTraining(configOf(parts), { classes: 3, classWeights });

/** Builds, looks, and frees what was built. */
function look<T>(
  parts: Omit<Partial<ConfigInput>, "data">,
  at: (training: ReturnType<typeof build>) => T,
): T {
  const training = build(parts);
  try {
    return at(training);
  } finally {
    training.dispose();
  }
}

describe("a training", () => {
  test("the paper's recipes: SGD, accumulation 8, float16, a curve that climbs", () => {
    const paper = { optimizer: { accumulate: 8 }, training: { precision: "float16" } } as const;
    look(paper, ({ groups, scaler, settings, losses, ema, network }) => {
      expect([groups.learningRate("network"), groups.learningRate("curve")]).toEqual([0.02, -0.02]);
      expect(groups.optimizer.groups).toMatchObject([
        { momentum: 0.9, weightDecay: 1e-4 },
        { momentum: 0.9, weightDecay: 0 },
      ]);
      expect([scaler.isEnabled, settings.precision, settings.clipNorm]).toEqual([true, "float16", null]);
      expect(losses).toMatchObject({ auxiliaryWeight: 0.4, sumsOver: "process" });
      expect([ema, network.isTraining]).toEqual([null, true]);
    });
    expect(trainerSettings(configOf(paper)).accumulate).toBe(8);
  });

  test("the optimiser's groups are named: head, what does not decay, and the curve's multiplier", () => {
    const parts = {
      optimizer: { type: "adamw", headMultiplier: 10, decayNormAndBias: false, weightDecay: 0.05 },
      reweighting: { learningRateMultiplier: 30, weightDecay: 0.001 },
    } as const;
    look(parts, ({ groups }) => {
      expect(groups.learningRate("network.noDecay")).toBe(0.02);
      expect(groups.learningRate("head")).toBeCloseTo(0.2, 12);
      expect(groups.learningRate("curve")).toBeCloseTo(-0.6, 12);
      expect(groups.optimizer.groups.map(({ weightDecay }) => weightDecay)).toEqual([
        0.05, 0, 0.05, 0, 0.001,
      ]);
    });
  });

  test("the curve: none, a line, or learned; only what is learned has a group and a phase", () => {
    look({ reweighting: { curve: "none" } }, ({ curve, groups, schedule, losses }) => {
      expect([curve, losses.main.curve, groups.learningRate("curve"), schedule.phase(0)]).toEqual([
        null,
        null,
        undefined,
        "joint",
      ]);
    });
    look({ reweighting: { curve: "linear", slope: 0.25, intercept: 0.5 } }, ({ curve, groups, schedule }) => {
      const [low, high] = tidy(() => [curve!.call(onDevice(-1)).item(), curve!.call(onDevice(1)).item()]);
      expect([low, high, groups.learningRate("curve"), schedule.phase(0)]).toEqual([
        0.25,
        0.75,
        undefined,
        "joint",
      ]);
    });
    look({ reweighting: { curve: "arm" } }, ({ schedule }) => {
      expect([schedule.phase(0), schedule.phase(1999), schedule.phase(2000)]).toEqual([
        "isolated",
        "isolated",
        "joint",
      ]);
    });
  });

  test("the losses have the configuration's options, the auxiliary one only what concerns it", () => {
    const loss = {
      pixelLoss: "focal",
      gamma: 3,
      ohem: { minKept: 5 },
      normalise: "all",
      auxiliaryWeight: 0.1,
    } as const;
    look({ loss, reweighting: { indicator: "entropy", p: 3, detach: false } }, ({ losses }) => {
      expect(losses.main.settings).toMatchObject({
        pixelLoss: "focal",
        gamma: 3,
        ohem: { minKept: 5 },
        normalise: "all",
      });
      expect(losses.main.settings).toMatchObject({ indicator: "entropy", p: 3, detach: false });
      expect(losses.auxiliary.settings).toMatchObject({
        pixelLoss: "ce",
        ohem: null,
        curve: null,
        normalise: "all",
      });
      expect(losses.auxiliaryWeight).toBe(0.1);
    });
    const weighted = build({}, [1, 2, 4]);
    expect(weighted.losses.main.settings.classWeights!.cpu().toArray()).toEqual([1, 2, 4]);
    weighted.dispose();
  });

  test("frozen stages are in no group, no average and no gradient: weight decay does not move them", () => {
    const parts = {
      model: { frozenStages: 4 },
      optimizer: { weightDecay: 1 },
      training: { ema: 0.9 },
    } as const;
    look(parts, ({ network, groups, optimizer, ema }) => {
      const names = groups.optimizer.groups.flatMap(({ parameters }) => [...parameters.keys()]);
      expect(names.filter((name) => name.startsWith("backbone."))).toEqual([]);
      const state = network.backbone.stateDict();
      const before = [...state].map(([name, tensor]) => [name, tensor.detach().clone()] as const);
      const step = () =>
        tidy(() => {
          network
            .call(onTestDevice(ops.randn([2, 3, 64, 64])))
            .logits.square()
            .sum()
            .backward();
          optimizer.step();
        });
      step();
      ema?.update(network);
      for (const [name, tensor] of before) {
        expect(state.get(name)?.equal(tensor), name).toBe(true);
        expect(ema?.stateDict().get(`backbone.${name}`)?.equal(tensor), name).toBe(true);
        tensor.dispose();
      }
    });
  });

  test("averages and clipping", () => {
    look({ training: { ema: 0.99 }, optimizer: { clipNorm: 5 } }, ({ ema, settings }) => {
      expect([ema?.decay, settings.clipNorm]).toEqual([0.99, 5]);
    });
  });

  test("a batch of one is refused where a normalisation has nothing to normalise over", () => {
    expect(() => build({ training: { batchSize: 1 } })).toThrow(
      /training\.batchSize: expected at least 2, got 1/,
    );
  });
});

function onDevice(value: number) {
  return tensor([value], { device: testDevice });
}

test("the network's configuration: a scale is predicted for the KL loss or its indicator alone", () => {
  const of = (parts: Omit<Partial<ConfigInput>, "data">) => networkConfig(configOf(parts), 3).logScale;
  expect([of({}), of({ loss: { pixelLoss: "kl" } }), of({ reweighting: { indicator: "kl" } })]).toEqual([
    false,
    true,
    true,
  ]);
  expect(networkConfig(configOf({ model: { strideOn: "1x1" } }), 3)).toMatchObject({
    strideOn: "1x1",
    classes: 3,
  });
});

test("intervals are tenths of the training unless they are given, and never 0", () => {
  const of = (parts: Omit<Partial<ConfigInput>, "data">) => trainerSettings(configOf(parts)).intervals;
  expect(of({ schedule: { iterations: 400 } })).toEqual({
    log: 10,
    curve: 10,
    coverage: 80,
    evaluate: 40,
    checkpoint: 40,
  });
  expect(of({ schedule: { iterations: 3 } })).toMatchObject({ curve: 1, evaluate: 1, checkpoint: 1 });
  expect(of({ training: { evaluateEvery: 7, checkpointEvery: 5 } })).toMatchObject({
    evaluate: 7,
    checkpoint: 5,
  });
});

test("several processes train on the CPU, or on a GPU each", () => {
  const two = { ...ONE_PROCESS, worldSize: 2, rank: 1, localRank: 1 };
  const on = (device: string) => () => onOwnDevice(configOf({ training: { device } }), two).training.device;
  expect(on("cpu")()).toBe("cpu");
  expect(on("cuda:0")).toThrow(/training\.device: 2 processes train on cpu, or on cuda.*got cuda:0/);
  expect(onOwnDevice(configOf({ training: { device: "cuda" } }), ONE_PROCESS).training.device).toBe("cuda");
});

test("the random resize is relative to the images' own size unless a base is given", () => {
  const of = (augmentation: ConfigInput["augmentation"]) =>
    buildAugmentation(configOf({ augmentation }).augmentation, [48, 96]);
  expect(of({ scale: [1, 2] }).resize).toEqual({ base: [48, 96], ratioRange: [1, 2] });
  expect(of({ base: [100, 200] }).resize).toMatchObject({ base: [100, 200] });
  expect(of({ photometric: false }).photometric).toBeNull();
});

const DATA = {
  train: { samples: Array.from({ length: 8 }, (_, i) => ({ name: `${i}`, image: `${i}.png` })) },
  meta: { samples: [{ name: "m", image: "m.png" }] },
  imageSize: [48, 96],
  valLabelledShare: 1,
  fingerprint: "x",
} as unknown as TrainingData;

test("the loader's iterations are batches: accumulation multiplies where it ends", async () => {
  const config = configOf({
    optimizer: { accumulate: 4 },
    schedule: { iterations: 2 },
    training: { workers: 0, batchSize: 2 },
  });
  await using loader = buildLoader(config, DATA, 2);
  expect(await loader.next()).toBeUndefined();
  expect(loader.iterationsPerEpoch).toBe(4);
  await using part = buildLoader(config, DATA, 0, { ...ONE_PROCESS, worldSize: 2, rank: 1 });
  expect(part.iterationsPerEpoch).toBe(2);
});

test("a batch larger than the data is an error that names the key, its value and the images", () => {
  const config = configOf({ training: { workers: 0, batchSize: 5 } });
  expect(() => buildLoader(config, DATA, 0, { ...ONE_PROCESS, worldSize: 2 })).toThrow(
    "training.batchSize: expected at most 4 for 8 images to train on, got 5 in each of 2 processes; lower training.batchSize",
  );
});

describe("a baseline", () => {
  const wrong =
    (parts: Omit<Partial<ConfigInput>, "data">, worldSize = 1) =>
    () => {
      const config = configOf(parts);
      return buildBaseline(
        config,
        DATA,
        { context: { ...ONE_PROCESS, worldSize } } as ReturnType<typeof build>,
        0,
      );
    };

  test("is none unless it is asked for", () => {
    expect(wrong({})()).toBeNull();
  });

  test("goes with the plain cross entropy on one process", () => {
    const reweighting = { baseline: "metaWeightNet", curve: "none" } as const;
    expect(wrong({ reweighting: { ...reweighting, curve: "arm" } })).toThrow(
      /set reweighting\.curve none, loss\.pixelLoss ce/,
    );
    expect(wrong({ reweighting, loss: { pixelLoss: "gce" } })).toThrow(
      /reweighting\.baseline metaWeightNet: it weighs the cross entropy/,
    );
    expect(wrong({ reweighting }, 2)).toThrow(/train it on one process/);
  });
});

test("windows need a size and a step", () => {
  const of = (evaluation: ConfigInput["evaluation"]) => () =>
    buildEvaluation(configOf({ evaluation })).inference;
  expect(of({})()).toEqual({ augmentation: null });
  expect(of({ mode: "slide" })).toThrow(/evaluation\.crop and evaluation\.stride/);
  const windows: ConfigInput["evaluation"] = { mode: "slide", crop: [8, 8], stride: [4, 4], tta: "hrnet" };
  expect(of(windows)()).toEqual({ augmentation: "hrnet", window: { crop: [8, 8], stride: [4, 4] } });
});

test("the KL indicator's scale is not at hand in an evaluation: confidence is then shown by var", () => {
  const shown = (indicator: "kl" | "entropy") =>
    buildEvaluation(configOf({ reweighting: { indicator } })).indicator;
  expect([shown("kl"), shown("entropy")]).toEqual(["var", "entropy"]);
});
