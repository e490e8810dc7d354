import { expect, test } from "vitest";
import { summarise } from "./entry-statistics.ts";
import { madeUpEntry, madeUpResult } from "./testing/made-up-entries.ts";

const base = madeUpEntry("base", 0.1);
const arm = madeUpEntry("arm", 0.2, { base: "base" });

test("mean, deviation and the paired difference's interval are those of NumPy and of t's closed form", () => {
  // numpy.mean and std(ddof=1); t of three degrees of freedom at 0.975 is 3.182446305, the root of
  // 1/2 + (atan x + x/(1 + x²))/π = 0.975 with x = t/√3.
  const a = [0.401, 0.423, 0.398, 0.415];
  const b = [0.42, 0.431, 0.421, 0.419];
  const results = [
    ...a.map((score, seed) => madeUpResult(base, seed, score, "scored")),
    ...b.map((score, seed) => madeUpResult(arm, seed, score, "scored")),
  ];
  const [first, second] = summarise([base, arm], results);
  expect(first!.difference).toBeUndefined();
  expect(first!.mIoU.mean).toBeCloseTo(0.40925, 10);
  expect(first!.mIoU.deviation).toBeCloseTo(0.011786291472, 10);
  expect(second!.mAcc.mean).toBeCloseTo(0.42275 + 0.1, 10);
  expect(second!.difference).toMatchObject({ pairs: 4 });
  expect(second!.difference!.mean).toBeCloseTo(0.0135, 10);
  expect(second!.difference!.interval[0]).toBeCloseTo(-0.000761952418, 5);
  expect(second!.difference!.interval[1]).toBeCloseTo(0.027761952418, 5);
});

test("seeds are paired by number, and those without a score on either side are left out", () => {
  const results = [
    madeUpResult(base, 2, 0.5, "scored"),
    madeUpResult(base, 0, 0.3, "scored"),
    madeUpResult(base, 1, null, "diverged"),
    madeUpResult(arm, 0, 0.31, "scored"),
    madeUpResult(arm, 1, 0.9, "scored"),
    madeUpResult(arm, 2, 0.53, "scored"),
    madeUpResult(arm, 3, 0.9, "scored"),
  ];
  const difference = summarise([base, arm], results)[1]!.difference!;
  expect(difference.pairs).toBe(2);
  expect(difference.mean).toBeCloseTo(0.02, 12);
  // t of one degree of freedom is tan(0.475·π); the half width is t·sd/√2 = t·0.01.
  expect(difference.interval[1] - difference.mean).toBeCloseTo(Math.tan(0.475 * Math.PI) * 0.01, 6);
});

test("collapsed runs count with their scores, diverged ones only in the list of runs", () => {
  const results = [
    madeUpResult(base, 0, 0.3, "scored"),
    madeUpResult(base, 1, 0.05, "collapsed"),
    madeUpResult(base, 2, null, "diverged"),
  ];
  const [summary] = summarise([base], results);
  expect(summary!.mIoU.mean).toBeCloseTo(0.175, 12);
  expect(summary!.runs.map(({ kind }) => kind)).toEqual(["scored", "collapsed", "diverged"]);
});

test("one seed has no spread, no seed has no mean", () => {
  const [one, none] = summarise([base, arm], [madeUpResult(base, 0, 0.3, "scored")]);
  expect(one!.mIoU).toEqual({ mean: 0.3, deviation: Number.NaN });
  expect(none!.mIoU.mean).toBeNaN();
  expect(none!.difference).toBeUndefined();
});
