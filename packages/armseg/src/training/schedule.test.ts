import { expect, test } from "vitest";
import { configSchema } from "../config/schema.ts";
import { learningRateFactor } from "./schedule.ts";

const schedule = (settings: object) =>
  configSchema.parse({ data: { format: "scenes" }, schedule: settings }).schedule;

test("the paper's schedule at T = 40,000 changes where the paper says", () => {
  const paper = schedule({ iterations: 40_000 });
  const at = (iteration: number) => learningRateFactor(paper, iteration);
  expect(at(0)).toBeCloseTo(0.01, 12);
  expect(at(1000)).toBeCloseTo(0.505, 12);
  expect([2000, 23_999].map(at)).toEqual([1, 1]);
  expect(at(24_000)).toBeCloseTo(0.1, 12);
  expect(at(35_999)).toBeCloseTo(0.1, 12);
  expect(at(36_000)).toBeCloseTo(0.01, 12);
});

test("poly falls from 1 to its minimum", () => {
  const poly = schedule({ iterations: 100, type: "poly", warmupFraction: 0, minimumFactor: 0.01 });
  expect(learningRateFactor(poly, 0)).toBe(1);
  expect(learningRateFactor(poly, 50)).toBeCloseTo(0.01 + 0.99 * 0.5 ** 0.9, 12);
  expect(learningRateFactor(poly, 100)).toBeCloseTo(0.01, 12);
});

test("cosine is half way down in the middle", () => {
  const cosine = schedule({ iterations: 100, type: "cosine", warmupFraction: 0 });
  expect(learningRateFactor(cosine, 50)).toBeCloseTo(0.5, 12);
});
