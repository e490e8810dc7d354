import { expect, test } from "vitest";
import { createSchedule, learningRateFactor, type ScheduleOptions } from "./schedule.ts";

const PAPER: ScheduleOptions = {
  type: "paper",
  iterations: 40_000,
  warmupFraction: 0.05,
  drops: [0.6, 0.9],
  power: 0.9,
  minimumFactor: 0,
};

test("the paper's schedule at T = 40,000 changes where the paper says", () => {
  const at = (iteration: number) => learningRateFactor(PAPER, iteration);
  expect(at(0)).toBeCloseTo(0.01, 12);
  expect(at(1000)).toBeCloseTo(0.505, 12);
  expect([2000, 23_999].map(at)).toEqual([1, 1]);
  expect(at(24_000)).toBeCloseTo(0.1, 12);
  expect(at(35_999)).toBeCloseTo(0.1, 12);
  expect(at(36_000)).toBeCloseTo(0.01, 12);
});

test("poly falls from 1 to its minimum", () => {
  const poly = { ...PAPER, iterations: 100, type: "poly", warmupFraction: 0, minimumFactor: 0.01 } as const;
  expect(learningRateFactor(poly, 0)).toBe(1);
  expect(learningRateFactor(poly, 50)).toBeCloseTo(0.01 + 0.99 * 0.5 ** 0.9, 12);
  expect(learningRateFactor(poly, 100)).toBeCloseTo(0.01, 12);
});

test("cosine is half way down in the middle", () => {
  const cosine = { ...PAPER, iterations: 100, type: "cosine", warmupFraction: 0 } as const;
  expect(learningRateFactor(cosine, 50)).toBeCloseTo(0.5, 12);
});

test("a schedule multiplies the base rate, and is isolated while there is a curve to prepare", () => {
  const schedule = createSchedule(PAPER, 0.02, { fraction: 0.05, isLearnable: true });
  expect([0, 2000, 24_000].map((i) => schedule.learningRate(i))).toEqual([0.0002, 0.02, 0.002]);
  expect([0, 1999, 2000].map((i) => schedule.phase(i))).toEqual(["isolated", "isolated", "joint"]);
  const plain = createSchedule(PAPER, 0.02, { fraction: 0.05, isLearnable: false });
  expect(plain.phase(0)).toBe("joint");
});
