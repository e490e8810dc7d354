import { expect, test } from "vitest";
import { compareScores, ratioOfMeans } from "./statistics.ts";

test("means, sample deviations and paired differences with Student's interval", () => {
  // Golden: scipy-free, by hand. Differences 0.01, 0.02, 0.03: mean 0.02, deviation 0.01, half width 4.3027 * 0.01 / sqrt(3).
  const [base, arm] = compareScores(
    ["base", "arm"],
    [
      [0.5, 0.52, 0.54],
      [0.51, 0.54, 0.57],
    ],
  );
  expect(base!.mean).toBeCloseTo(0.52, 12);
  expect(base!.deviation).toBeCloseTo(0.02, 12);
  expect(base!.difference).toBeUndefined();
  expect(arm!.difference!.mean).toBeCloseTo(0.02, 12);
  expect(arm!.difference!.deviation).toBeCloseTo(0.01, 12);
  expect(arm!.difference!.interval[0]).toBeCloseTo(0.02 - 0.0248414, 6);
  expect(arm!.difference!.interval[1]).toBeCloseTo(0.02 + 0.0248414, 6);
});

test("a single pair has a difference but no interval", () => {
  const [, arm] = compareScores(["base", "arm"], [[0.5], [0.6]]);
  expect(arm!.difference!.mean).toBeCloseTo(0.1, 12);
  expect(arm!.difference!.interval).toEqual([Number.NaN, Number.NaN]);
});

test("a seed that only the base has finished makes no pair", () => {
  const [, arm] = compareScores(["base", "arm"], [[0.5, 0.9], [0.6]]);
  expect(arm!.difference!.mean).toBeCloseTo(0.1, 12);
});

test("beyond 30 degrees of freedom the interval goes on without a jump", () => {
  const scores = (n: number) => [
    Array<number>(n).fill(0),
    Array.from({ length: n }, (_, i) => (i % 2 ? 1 : -1)),
  ];
  const half = (n: number) => {
    const { interval, deviation } = compareScores(["base", "arm"], scores(n))[1]!.difference!;
    return ((interval[1] - interval[0]) / 2 / deviation) * Math.sqrt(n);
  };
  expect(half(31)).toBeCloseTo(2.0423, 4); // 30 degrees, table
  expect(half(32)).toBeCloseTo(2.0395, 3); // 31 degrees, published table
  expect(half(122)).toBeCloseTo(1.9798, 3);
});

test("a ratio of means has Fieller's interval: no bound where the divisor may be 0, none of a single pair", () => {
  // Golden: bisection on |mean(a − r·b)| = t·(standard error of a − r·b), Python.
  const { ratio, interval } = ratioOfMeans([1, 1.5, 0.9, 1.2, 1.1], [5, 5.8, 4.9, 5.5, 5.2]);
  expect(ratio).toBeCloseTo(0.215909090909, 10);
  expect(interval[0]).toBeCloseTo(0.176723574207, 5);
  expect(interval[1]).toBeCloseTo(0.249085267659, 5);
  expect(ratioOfMeans([1, 1.1, 0.9], [1, -1, 0.5]).interval).toEqual([
    Number.NEGATIVE_INFINITY,
    Number.POSITIVE_INFINITY,
  ]);
  expect(ratioOfMeans([1], [4])).toEqual({ ratio: 0.25, interval: [Number.NaN, Number.NaN] });
});
