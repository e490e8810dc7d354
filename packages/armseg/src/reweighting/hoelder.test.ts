import { expect, test } from "vitest";
import { hoelderOptimum } from "./hoelder.ts";

test("p = 2 gives weights proportional to the loss, of norm 1", () => {
  expect([...hoelderOptimum([3, 4], 2)]).toEqual([0.6, 0.8]);
});

test("p = 3 gives weights proportional to the root of the loss", () => {
  const [a = 0, b = 0] = hoelderOptimum([1, 4], 3);
  expect(b / a).toBeCloseTo(2, 12);
  expect(a ** 3 + b ** 3).toBeCloseTo(1, 12);
});

test("p = 1 gives all weight to the hardest bin", () => {
  expect([...hoelderOptimum([1, 5, 2], 1)]).toEqual([0, 1, 0]);
});

test("no other weights of the same norm reach a larger sum", () => {
  const losses = [0.2, 1.7, 0.9];
  const counts = [5, 1, 3];
  const value = (w: ArrayLike<number>) =>
    losses.reduce((sum, l, k) => sum + (counts[k] ?? 0) * (w[k] ?? 0) * l, 0);
  const best = value(hoelderOptimum(losses, 3, counts));
  for (const other of [
    [1, 1, 1],
    [1, 2, 1],
    [0.5, 1.4, 1],
    [0, 1, 0],
  ]) {
    const norm = other.reduce((sum, w, k) => sum + (counts[k] ?? 0) * w ** 3, 0) ** (1 / 3);
    expect(value(other.map((w) => w / norm))).toBeLessThan(best);
  }
});

test("bins without pixels stay NaN, bins of negative loss get none, and no loss at all gives no weight", () => {
  expect([...hoelderOptimum([Number.NaN, 2, -1], 2)]).toEqual([Number.NaN, 1, 0]);
  expect([...hoelderOptimum([0, 0], 2)]).toEqual([0, 0]);
  expect([...hoelderOptimum([], 2)]).toEqual([]);
});
