import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type DType,
  getThreads,
  loadSafetensors,
  manualSeed,
  ops,
  saveSafetensors,
  setThreads,
  tensor,
  tidy,
} from "@armseg/torch";
import { isOnCpu } from "@armseg/torch/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ONE_PROCESS } from "../distributed/context.ts";
import {
  generatorStates,
  loadCheckpoint,
  loadModelWeights,
  saveCheckpoint,
  validateCheckpoint,
} from "./checkpoint.ts";
import { trainStep } from "./step.ts";
import { noiseBatch, numbersOf, type SmallTraining, smallTraining } from "./testing/small-training.ts";

const threads = getThreads();
const folder = mkdtempSync(join(tmpdir(), "armseg-checkpoint-"));
beforeAll(() => setThreads(1));
afterAll(() => {
  setThreads(threads);
  rmSync(folder, { recursive: true });
});

const EVERY_PART = {
  rule: { type: "adamw" },
  learningRate: 1e-3,
  clipNorm: 1,
  ema: 0.9,
  isScaled: true,
  groups: { headMultiplier: 10, weightDecay: 0.01, decayNormAndBias: false },
  dropout: 0.5,
} as const;
const FACTS = { iteration: 3, skipped: 1, skippedInARow: 0 };

function save(path: string, training: SmallTraining): void {
  tidy(() => {
    const extra = new Map([["bins", tensor([1, 2, 3], { dtype: "float64" })]]);
    saveCheckpoint(path, training, FACTS, generatorStates(ONE_PROCESS), extra);
  });
}

function everything({ network, curve, optimizer, ema, scaler }: SmallTraining) {
  const { tensors, numbers } = optimizer.stateDict();
  return [
    numbersOf(network),
    numbersOf(curve),
    numbersOf({ stateDict: () => tensors }),
    numbersOf({ stateDict: () => ema!.stateDict() }),
    numbers,
    scaler.stateDict(),
  ];
}

const steps = (training: SmallTraining, from: number, to: number) => {
  for (let i = from; i < to; i++) trainStep(training, [noiseBatch(2 * i), noiseBatch(2 * i + 1)], "joint");
};

test.skipIf(!isOnCpu)(
  "two steps, a checkpoint and two more are bitwise four: AdamW, averages, scaled losses, dropout, accumulation",
  () => {
    const path = join(folder, "whole.safetensors");
    using whole = smallTraining(EVERY_PART);
    manualSeed(5);
    steps(whole, 0, 2);
    save(path, whole);
    steps(whole, 2, 4);
    using resumed = smallTraining(EVERY_PART);
    manualSeed(6);
    expect(loadCheckpoint(path, resumed)).toEqual({
      facts: expect.objectContaining(FACTS),
      extra: new Map([["bins", [1, 2, 3]]]),
    });
    steps(resumed, 2, 4);
    expect(everything(resumed)).toEqual(everything(whole));
  },
);

test("the names in the file stay as they are: older runs are resumed by them", () => {
  const path = join(folder, "names.safetensors");
  using training = smallTraining(EVERY_PART);
  steps(training, 0, 1);
  save(path, training);
  tidy(() => {
    const { tensors, metadata } = loadSafetensors(path);
    expect([...tensors.keys()]).toEqual(
      expect.arrayContaining([
        "model.backbone.conv1.weight",
        "curve.conv1.weight",
        "optimizer.backbone.conv1.weight.exp_avg",
        "optimizer.curve.conv1.weight.exp_avg_sq",
        "ema.decode_head.conv_seg.bias",
        "generator.cpu",
        "extra.bins",
      ]),
    );
    expect(tensors.get("generator.cpu")!.ndim).toBe(1);
    const facts = JSON.parse(metadata.get("armseg")!);
    expect(facts).toMatchObject({ format: 2, ...FACTS, scaler: { scale: 65536 } });
    expect(facts).not.toHaveProperty("worldSize");
    expect(facts.optimizer).toMatchObject({ "groups.0.learningRate": 1e-3, "groups.4.learningRate": -1e-3 });
  });
});

test("a trained network is used by its averages, where there are any", () => {
  const path = join(folder, "averages.safetensors");
  const weights = (options: object) => {
    using training = smallTraining(options);
    steps(training, 0, 1);
    save(path, training);
    const loaded = tidy(() => numbersOf({ stateDict: () => loadModelWeights(path) }));
    return {
      loaded,
      raw: numbersOf(training.network),
      averages: training.ema && numbersOf({ stateDict: () => training.ema!.stateDict() }),
    };
  };
  const averaged = weights({ ema: 0.5 });
  expect(averaged.loaded).toEqual(averaged.averages);
  expect(averaged.loaded).not.toEqual(averaged.raw);
  const plain = weights({});
  expect(plain.loaded).toEqual(plain.raw);
});

test("another number of processes is told what to do", () => {
  const path = join(folder, "alone.safetensors");
  using training = smallTraining();
  save(path, training);
  const two = { ...ONE_PROCESS, worldSize: 2 };
  expect(() => loadCheckpoint(path, training, two)).toThrow(
    /written by a training on one process, and this is one on 2 processes.*Resume it on its own, without --nproc/,
  );
});

test("of several processes each keeps a row of random numbers, and takes its own again", () => {
  const path = join(folder, "two.safetensors");
  using training = smallTraining();
  const of = (rank: number) => ({
    ...ONE_PROCESS,
    rank,
    worldSize: 2,
    // The other process has drawn one number more.
    stack: (state: Parameters<typeof ONE_PROCESS.stack>[0]) =>
      tidy(() => {
        ops.rand([1]);
        const [other] = generatorStates(ONE_PROCESS).values();
        return ops.cat([state.unsqueeze(0), other!]);
      }),
  });
  manualSeed(1);
  const [first, second] = tidy(() => {
    const randomness = new Map([...generatorStates(of(0))].slice(0, 1));
    saveCheckpoint(path, training, FACTS, randomness);
    return [0, 1].map((rank) => {
      loadCheckpoint(path, training, of(rank));
      return ops.rand([1]).item();
    });
  });
  const [one, two] = tidy(() => {
    manualSeed(1);
    return [ops.rand([1]).item(), ops.rand([1]).item()];
  });
  expect([first, second]).toEqual([one, two]);
});

const EXPECTED = { iteration: FACTS.iteration };

test("what cannot be read whole is no checkpoint", () => {
  const path = join(folder, "broken.safetensors");
  using training = smallTraining();
  save(path, training);
  expect(() => validateCheckpoint(path, EXPECTED)).not.toThrow();
  truncateSync(path, 1000);
  expect(() => validateCheckpoint(path, EXPECTED)).toThrow(path);
  tidy(() => saveSafetensors(path, [["generator.cpu", ops.zeros([1])]]));
  expect(() => validateCheckpoint(path, EXPECTED)).toThrow(/is no checkpoint of a training/);
});

test("a byte that was flipped anywhere in a checkpoint is noticed, by resuming and by evaluation", () => {
  const path = join(folder, "flipped.safetensors");
  using training = smallTraining();
  save(path, training);
  const whole = readFileSync(path);
  const header = 8 + Number(whole.readBigUInt64LE());
  const places = [header, (header + whole.length) >> 1, whole.length - 1, whole.indexOf('"iteration') + 14];
  for (const at of places) {
    const bytes = Buffer.from(whole);
    bytes[at]! ^= 1;
    writeFileSync(path, bytes);
    expect(() => validateCheckpoint(path, EXPECTED), `byte ${at}`).toThrow(path);
    expect(() => tidy(() => loadModelWeights(path)), `byte ${at}`).toThrow(path);
    expect(() => loadCheckpoint(path, training), `byte ${at}`).toThrow(path);
  }
});

test("a checkpoint is the one that the index names", () => {
  const path = join(folder, "named.safetensors");
  using training = smallTraining();
  const sum = tidy(() => saveCheckpoint(path, training, FACTS, generatorStates(ONE_PROCESS)));
  expect(() => validateCheckpoint(path, { iteration: 3, checksum: sum })).not.toThrow();
  expect(() => validateCheckpoint(path, { iteration: 4 })).toThrow(/is of iteration 3, not of 4/);
  expect(() => validateCheckpoint(path, { iteration: 3, checksum: "0".repeat(64) })).toThrow(
    /is another file than the index names/,
  );
});

/** Rewrites a checkpoint as format 1, which has no checksum. */
function rewrite(from: string, change: (facts: Record<string, unknown>) => unknown, dtype?: DType): string {
  const path = join(folder, "rewritten.safetensors");
  tidy(() => {
    const { tensors, metadata } = loadSafetensors(from);
    const facts = change({ ...JSON.parse(metadata.get("armseg")!), format: 1 });
    const name = "model.backbone.conv1.weight";
    if (dtype) tensors.set(name, tensors.get(name)!.to(dtype));
    saveSafetensors(path, tensors, [["armseg", JSON.stringify(facts)]]);
  });
  return path;
}

test("facts that are none are named; files from before the checksum are read", () => {
  const path = join(folder, "facts.safetensors");
  using training = smallTraining();
  save(path, training);
  expect(() =>
    validateCheckpoint(
      rewrite(path, (facts) => facts),
      EXPECTED,
    ),
  ).not.toThrow();
  for (const iteration of [undefined, "x", -3, 1.5, null]) {
    const changed = rewrite(path, (facts) => ({ ...facts, iteration }));
    expect(() => validateCheckpoint(changed, EXPECTED)).toThrow(/rewritten.safetensors .*: iteration: /);
  }
  const later = rewrite(path, (facts) => ({ ...facts, format: 3 }));
  expect(() => validateCheckpoint(later, EXPECTED)).toThrow(
    /has format 3, and this version of armseg reads 1 and 2/,
  );
  const unsummed = rewrite(path, (facts) => ({ ...facts, format: 2 }));
  expect(() => validateCheckpoint(unsummed, EXPECTED)).toThrow(/is damaged/);
  expect(() =>
    loadCheckpoint(
      rewrite(path, (facts) => facts, "float64"),
      training,
    ),
  ).toThrow(/model\.backbone\.conv1\.weight must be float32, and is float64/);
});
