import { expect, test } from "vitest";
import { probit, profileAt } from "./margins.ts";

test("probit gives the known quantiles of the normal distribution", () => {
  // Tabulated in any statistics book.
  for (const [p, z] of [
    [0.5, 0],
    [0.975, 1.959964],
    [0.025, -1.959964],
    [0.001, -3.090232],
    [0.8413447, 1],
  ] as const) {
    expect(probit(p)).toBeCloseTo(z, 5);
  }
  expect(probit(0)).toBe(-Infinity);
  expect(probit(1)).toBe(Infinity);
});

test("the profile is linear in the logarithm of the distance", () => {
  const coverage = [
    [2, 0.2],
    [8, 0.6],
  ] as const;
  expect([0, 2, 4, 8, 100].map((d) => profileAt(coverage, d))).toEqual([
    0.2,
    0.2,
    expect.closeTo(0.4),
    0.6,
    0.6,
  ]);
});
