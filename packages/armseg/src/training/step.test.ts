import { getThreads, setThreads, type Tensor, tidy } from "@armseg/torch";
import { isOnCpu, tolerance } from "@armseg/torch/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { IGNORE_INDEX } from "../core/ignore-index.ts";
import { trainStep } from "./step.ts";
import {
  noiseBatch,
  numbersOf,
  type SmallTraining,
  type SmallTrainingOptions,
  smallTraining,
} from "./testing/small-training.ts";

const threads = getThreads();
beforeAll(() => setThreads(1));
afterAll(() => setThreads(threads));

/** Largest difference between two sets of parameters, relative to the largest number. */
function difference(actual: Map<string, number[]>, expected: Map<string, number[]>): number {
  const pairs = [...expected].flatMap(([name, values]) =>
    values.map((value, i) => [value, actual.get(name)![i]!] as const),
  );
  const largest = Math.max(...pairs.map(([value]) => Math.abs(value)));
  return Math.max(...pairs.map(([value, found]) => Math.abs(value - found))) / largest;
}

/** Parameters only: running means are no weights. */
function weightsIn(numbers: Iterable<[string, number[]]>): Map<string, number[]> {
  return new Map([...numbers].filter(([name]) => !/running_|num_batches/.test(name)));
}

function weightsOf({ network, curve }: SmallTraining): Map<string, number[]> {
  return weightsIn([...numbersOf(network), ...numbersOf(curve)]);
}

/** What a step subtracted from the weights. */
function updateOf(training: SmallTraining, step: () => void): Map<string, number[]> {
  const before = weightsOf(training);
  step();
  return new Map(
    [...weightsOf(training)].map(([name, values]) => [
      name,
      values.map((value, i) => before.get(name)![i]! - value),
    ]),
  );
}

const normOf = (update: Map<string, number[]>) => Math.hypot(...[...update.values()].flat());
/** Sums run in another order, in float32. */
const ROUNDING = tolerance({ cpu: 1e-4, cuda: 1e-3 });

test("the gradients of two batches are averaged", () => {
  const one = (...batches: number[]) => {
    using training = smallTraining();
    return updateOf(training, () =>
      trainStep(
        training,
        batches.map((i) => noiseBatch(i)),
        "joint",
      ),
    );
  };
  const [first, second, both] = [one(0), one(1), one(0, 1)];
  const mean = new Map(
    [...first].map(([name, a]) => [name, a.map((x, i) => (x + second.get(name)![i]!) / 2)]),
  );
  expect(difference(both, mean)).toBeLessThan(ROUNDING);
  expect(difference(both, first)).toBeGreaterThan(0.1);
});

test("the loss is the main one plus the weighted auxiliary one, averaged over the batches", () => {
  const one = (...batches: number[]) => {
    using training = smallTraining({ hasCurve: false });
    return trainStep(
      training,
      batches.map((i) => noiseBatch(i)),
      "joint",
    );
  };
  const [first, second, both] = [one(0), one(1), one(0, 1)];
  expect(first.loss).toBeCloseTo(first.meanLoss + 0.4 * first.auxLoss!, 5);
  expect(both.loss).toBeCloseTo((first.loss + second.loss) / 2, 5);
  expect(both.bins).toBeNull();
});

/** Gradients that the last step left, by name. */
function gradientsOf({ network, curve }: SmallTraining): Map<string, number[]> {
  const all = [...network.namedParameters(), ...(curve?.namedParameters() ?? [])];
  return new Map(
    all.map(([name, { grad }]) => [
      name,
      tidy(() => Array.from(grad!.to("cpu", "float64").contiguous().toTypedArray() as Float64Array)),
    ]),
  );
}

test("the affinity of unlabelled pixels is a part of the loss, times its weight, and moves the network", () => {
  const labels = noiseBatch(0).labels.map((label, i) => (i % 3 === 0 ? IGNORE_INDEX : label));
  const one = (affinity?: number) => {
    using training = smallTraining({ hasCurve: false, ...(affinity !== undefined && { affinity }) });
    let result: ReturnType<typeof trainStep> | undefined;
    const update = updateOf(training, () => {
      result = trainStep(training, [noiseBatch(0, { labels })], "joint");
    });
    return { ...result!, update };
  };
  const [without, with5] = [one(), one(5)];
  expect(without.affinity).toBeUndefined();
  expect(with5.affinity).toBeGreaterThan(0);
  expect(with5.loss).toBeCloseTo(without.loss + 5 * with5.affinity!, 4);
  expect(difference(with5.update, without.update)).toBeGreaterThan(0.01);
});

test("the network descends its loss and the curve climbs it", () => {
  using training = smallTraining({ learningRate: 0.1 });
  const update = updateOf(training, () => trainStep(training, [noiseBatch(0)], "joint"));
  const curveNames = new Set([...training.curve!.stateDict().keys()]);
  const expected = [...gradientsOf(training)].map(([name, values]): [string, number[]] => [
    name,
    values.map((value) => (curveNames.has(name) ? -0.1 : 0.1) * value),
  ]);
  expect(difference(update, new Map(expected))).toBeLessThan(ROUNDING);
  expect(normOf(new Map([...update].filter(([name]) => curveNames.has(name))))).toBeGreaterThan(0);
});

test("clipping scales the network's gradient to the norm, reports the norm before, and leaves the curve's alone", () => {
  const one = (clipNorm?: number) => {
    using training = smallTraining({ learningRate: 1, ...(clipNorm !== undefined && { clipNorm }) });
    const isCurve = new Set([...training.curve!.stateDict().keys()]);
    let result = { gradientNorm: undefined as number | undefined };
    const update = updateOf(training, () => {
      result = trainStep(training, [noiseBatch(0)], "joint");
    });
    const part = (curve: boolean) =>
      normOf(new Map([...update].filter(([name]) => isCurve.has(name) === curve)));
    return { ...result, network: part(false), curve: part(true) };
  };
  const [free, clipped] = [one(), one(0.01)];
  expect(free.gradientNorm).toBeUndefined();
  expect(clipped.gradientNorm! / free.network).toBeCloseTo(1, 3);
  expect(clipped.network).toBeCloseTo(0.01, 5);
  expect(clipped.curve / free.curve).toBeCloseTo(1, 4);
  expect(free.network).toBeGreaterThan(0.02);
});

test("the moving average takes one step towards the weights after each update", () => {
  using training = smallTraining({ ema: 0.75 });
  training.ema!.continueFrom(100);
  const before = weightsOf(training);
  trainStep(training, [noiseBatch(0)], "joint");
  const [after, averages] = [weightsOf(training), training.ema!.stateDict()];
  const actual = weightsIn(numbersOf({ stateDict: () => averages }));
  const names = new Set(averages.keys());
  const expected = [...after]
    .filter(([name]) => names.has(name))
    .map(([name, values]): [string, number[]] => [
      name,
      values.map((value, i) => 0.75 * before.get(name)![i]! + 0.25 * value),
    ]);
  expect(difference(actual, new Map(expected))).toBeLessThan(1e-6);
  expect(difference(after, actual)).toBeGreaterThan(1e-4);
});

test("the moving average of few updates is the mean of all weights so far", () => {
  using training = smallTraining({ ema: 0.99 });
  const seen = [weightsOf(training)];
  for (let i = 0; i < 3; i++) {
    trainStep(training, [noiseBatch(i)], "joint");
    seen.push(weightsOf(training));
  }
  const averages = weightsIn(numbersOf({ stateDict: () => training.ema!.stateDict() }));
  const expected = [...averages.keys()].map((name): [string, number[]] => [
    name,
    seen[0]!.get(name)!.map((_, i) => seen.reduce((sum, weights) => sum + weights.get(name)![i]!, 0) / 4),
  ]);
  expect(difference(averages, new Map(expected))).toBeLessThan(1e-6);
});

test("a loss that is not finite leaves weights, averages and optimiser as they were", () => {
  using training = smallTraining({ ema: 0.5, rule: { type: "adamw" } });
  trainStep(training, [noiseBatch(0)], "joint");
  const state = () => [
    ...weightsOf(training),
    ...numbersOf({ stateDict: () => training.ema!.stateDict() }),
    ...numbersOf({ stateDict: () => training.optimizer.stateDict().tensors }),
    Object.entries(training.optimizer.stateDict().numbers),
  ];
  const before = state().filter(([name]) => !/running_|num_batches/.test(String(name)));
  const { images } = noiseBatch(1);
  const result = trainStep(training, [noiseBatch(1, { images: images.fill(Number.NaN) })], "joint");
  expect(result).toMatchObject({ loss: Number.NaN, hasStepped: false, isEmpty: false });
  expect(state().filter(([name]) => !/running_|num_batches/.test(String(name)))).toEqual(before);
});

test("a batch without labels is told of, and moves nothing", () => {
  using training = smallTraining();
  const { labels } = noiseBatch(0);
  const batch = noiseBatch(0, { labels: labels.fill(IGNORE_INDEX), validPixels: 0 });
  const update = updateOf(training, () => {
    expect(trainStep(training, [batch], "joint")).toMatchObject({ loss: 0, isEmpty: true, hasStepped: true });
  });
  expect(normOf(update)).toBe(0);
});

test("a baseline's weights take the place of the data's", () => {
  const one = (weight: number | null) => {
    using training = smallTraining({ hasCurve: false });
    const weigh = (_: unknown, labels: Tensor) => labels.fullLike(weight!, { dtype: "float32" });
    return trainStep(training, [noiseBatch(0)], "joint", weight === null ? null : weigh);
  };
  expect(one(2).meanLoss / one(null).meanLoss).toBeCloseTo(2, 5);
});

/** Processors compute in bfloat16 only; a GPU in float16 too. */
const HALVES = isOnCpu ? (["bfloat16"] as const) : (["bfloat16", "float16"] as const);
/** What the paper's recipes compute in; where the processor cannot, only their scaling of the losses is tried. */
const PAPER = isOnCpu ? { isScaled: true } : { precision: "float16" as const };

test.each(HALVES)("%s: the step is float32's, but for rounding; weights stay float32", (precision) => {
  const one = (options: SmallTrainingOptions) => {
    using training = smallTraining(options);
    let loss = 0;
    const update = updateOf(training, () => {
      loss = trainStep(training, [noiseBatch(0)], "joint").loss;
    });
    const dtypes = new Set([...training.network.parameters()].map(({ dtype }) => dtype));
    return { loss, update, dtypes: [...dtypes] };
  };
  const [half, full] = [one({ precision }), one({})];
  expect(half.loss).not.toBe(full.loss);
  expect(half.loss / full.loss).toBeCloseTo(1, 1);
  expect(half.dtypes).toEqual(["float32"]);
  expect(difference(half.update, full.update)).toBeLessThan(0.2);
});

test("the paper's recipes: eight batches under a scaled loss are one update, unscaled and clipped; AdamW too", () => {
  const batches = Array.from({ length: 8 }, (_, i) => noiseBatch(i));
  const run = (options: SmallTrainingOptions) => {
    using training = smallTraining({ clipNorm: 0.05, ...options });
    let result = { gradientNorm: undefined as number | undefined, hasStepped: false };
    const update = updateOf(training, () => {
      result = trainStep(training, batches, "joint");
    });
    return { ...result, update, numbers: training.optimizer.stateDict().numbers };
  };
  for (const rule of [{ type: "sgd", momentum: 0.9, nesterov: false }, { type: "adamw" }] as const) {
    const [scaled, plain] = [run({ ...PAPER, rule }), run({ rule })];
    expect(scaled.hasStepped).toBe(true);
    expect(scaled.gradientNorm! / plain.gradientNorm!).toBeCloseTo(1, isOnCpu ? 4 : 1);
    expect(difference(scaled.update, plain.update)).toBeLessThan(isOnCpu ? 0.01 : 0.3);
    if (rule.type === "adamw") expect(scaled.numbers["steps.backbone.conv1.weight"]).toBe(1);
  }
});

test("scaled gradients that overflow skip the step and lower the scale", () => {
  using training = smallTraining({ ...PAPER, initialScale: 2 ** 127, ema: 0.5 });
  const averages = () => numbersOf({ stateDict: () => training.ema!.stateDict() });
  const before = averages();
  const update = updateOf(training, () => {
    const large = { ...training, losses: { ...training.losses, auxiliaryWeight: 1000 } };
    expect(trainStep(large, [noiseBatch(0)], "joint").hasStepped).toBe(false);
  });
  expect(normOf(update)).toBe(0);
  expect(training.scaler.currentScale).toBe(2 ** 126);
  expect(difference(averages(), before)).toBe(0);
});
