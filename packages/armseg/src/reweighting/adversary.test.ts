import type { Tensor } from "@armseg/torch";
import { getThreads, manualSeed, ops, optim, setThreads, tidy } from "@armseg/torch";
import { onTestDevice, testDevice } from "@armseg/torch/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hoelderOptimum } from "../core/hoelder-optimum.ts";
import { adversaryGroup, adversaryLearningRate, phaseAt } from "./adversary.ts";
import { ArmCurve } from "./arm-curve.ts";
import { objective } from "./objective.ts";
import { numbers } from "./testing/numbers.ts";

// Tensors of 128 elements: more threads only wait for each other.
const threads = getThreads();
beforeAll(() => setThreads(1));
afterAll(() => setThreads(threads));

test("the first 0.05·T iterations are isolated, for a curve that learns", () => {
  expect([0, 1999, 2000, 39_999].map((i) => phaseAt(i, 40_000))).toEqual([
    "isolated",
    "isolated",
    "joint",
    "joint",
  ]);
  expect(phaseAt(0, 40_000, { isLearnable: false })).toBe("joint");
  expect(phaseAt(3, 10, { fraction: 0.5 })).toBe("isolated");
});

test("the curve has the network's rate negated, its own multiplier and no decay", () => {
  using curve = new ArmCurve();
  const group = adversaryGroup(curve, 0.02);
  expect(group).toMatchObject({ learningRate: -0.02, weightDecay: 0 });
  expect(group.parameters.map(([name]) => name)[0]).toBe("curve.conv1.weight");
  expect(adversaryLearningRate(0.02, { learningRateMultiplier: 10 })).toBe(-0.2);
  expect(() => adversaryLearningRate(0.02, { learningRateMultiplier: -1 })).toThrow(
    "positive learningRateMultiplier, got -1",
  );
});

/** A loss that falls with the confidence, from 1.63 to 0.1 (L(−1)/L(1) = 16.3). */
function frozenProfile(): { confidence: Tensor; loss: Tensor } {
  const confidence = onTestDevice(ops.linspace(-1, 1, 128));
  return { confidence, loss: confidence.neg().add(1).div(2).pow(1.5).mul(1.53).add(0.1) };
}

/** The weights that ARM arrives at by climbing Q on the frozen profile, at ten times the paper's learning rate. */
function climb(p: number, seed: number, iterations: number): { weights: number[]; losses: number[] } {
  manualSeed(seed);
  const { confidence, loss } = frozenProfile();
  using curve = new ArmCurve().to({ device: testDevice });
  const group = adversaryGroup(curve, 0.02, { learningRateMultiplier: 10 });
  using optimizer = new optim.SGD([group], { learningRate: 0.02, momentum: 0.9 });
  for (let i = 0; i < iterations; i++) {
    tidy(() => {
      optimizer.zeroGrad();
      objective(curve.call(confidence), loss, p).backward();
      optimizer.step();
    });
  }
  return { weights: numbers(curve.call(confidence)), losses: numbers(loss) };
}

describe("a curve that climbs Q on a frozen loss profile", () => {
  test.each([
    { p: 2, ratio: 16.3 },
    { p: 3, ratio: 4.04 },
  ])("p = $p converges to Hölder's optimum L^(1/(p−1))", ({ p, ratio }) => {
    const { weights, losses } = climb(p, 1, 600);
    expect(correlation(weights, hoelderOptimum(losses, p))).toBeGreaterThan(0.99);
    expect(Math.abs((weights[0] as number) / (weights[127] as number) / ratio - 1)).toBeLessThan(0.25);
  });

  test("p = 1 drives the weight to the hardest bin", () => {
    const { weights } = climb(1, 0, 600);
    expect((weights[0] as number) / weights.reduce((a, b) => a + b)).toBeGreaterThan(0.9);
  });

  test("p = 1 from another start collapses to zero weights: Q is 0 then, not NaN", () => {
    const { weights, losses } = climb(1, 1, 300);
    expect(weights.every((w) => w === 0)).toBe(true);
    expect(losses.length).toBe(128);
  });
});

function correlation(a: readonly number[], b: readonly number[]): number {
  const center = (x: readonly number[]) => {
    const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
    return x.map((value) => value - mean);
  };
  const [x, y] = [center(a), center(b)];
  const dot = (u: readonly number[], v: readonly number[]) =>
    u.reduce((sum, value, i) => sum + value * (v[i] as number), 0);
  return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
}
