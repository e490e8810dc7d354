import { describe, expect, test } from "vitest";
import type { CurveRecord } from "../runs/records.ts";
import { curveAgainstOptimum } from "./hoelder-optimum.ts";

function record(p: number, weightAt: (u: number) => number, more: Partial<CurveRecord> = {}): CurveRecord {
  const knots = Array.from({ length: 129 }, (_, i) => i / 64 - 1);
  const centres = [-0.75, -0.25, 0.25, 0.75];
  return {
    kind: "curve",
    iteration: 1,
    p,
    knots,
    weights: knots.map(weightAt),
    meanLossPerBin: centres.map((u) => 4 - 2 * u),
    countPerBin: [1, 2, 3, 10],
    ...more,
  };
}

describe("learned curve against the optimum", () => {
  test("p = 2: a curve proportional to the loss is the optimum", () => {
    const { confidence, learned, optimum, correlation } = curveAgainstOptimum(
      record(2, (u) => 0.3 * (4 - 2 * u)),
    )!;
    expect(confidence).toEqual([-0.75, -0.25, 0.25, 0.75]);
    expect(correlation).toBeCloseTo(1, 12);
    for (const [i, value] of learned.entries()) expect(value).toBeCloseTo(optimum[i]!, 12);
  });

  test("p = 3: the root of the loss is the optimum, at the centres of the bins", () => {
    const { learned, optimum, correlation } = curveAgainstOptimum(record(3, (u) => Math.sqrt(4 - 2 * u)))!;
    expect(correlation).toBeCloseTo(1, 5);
    for (const [i, value] of learned.entries()) expect(value).toBeCloseTo(optimum[i]!, 4);
  });

  test("both have power mean 1 over the pixels", () => {
    const { learned, optimum } = curveAgainstOptimum(record(3, (u) => 0.5 - 0.5 * u))!;
    const counts = [1, 2, 3, 10];
    for (const values of [learned, optimum]) {
      expect(values.reduce((sum, value, i) => sum + counts[i]! * value ** 3, 0) / 16).toBeCloseTo(1, 12);
    }
  });

  test("a curve that rises against a falling loss correlates negatively", () => {
    expect(curveAgainstOptimum(record(2, (u) => u + 1))!.correlation).toBeCloseTo(-1, 12);
  });

  test("an empty bin is left out of the norm and of the correlation", () => {
    const holes = { meanLossPerBin: [5.5, Number.NaN, 3.5, 2.5], countPerBin: [1, 0, 3, 10] };
    const { optimum, correlation } = curveAgainstOptimum(record(2, (u) => 4 - 2 * u, holes))!;
    expect(optimum[1]).toBeNaN();
    expect(correlation).toBeCloseTo(1, 12);
  });

  test("p = 1 has no optimum, nor has a record without a pixel", () => {
    expect(curveAgainstOptimum(record(1, () => 1))).toBeUndefined();
    expect(curveAgainstOptimum(record(2, () => 1, { countPerBin: [0, 0, 0, 0] }))).toBeUndefined();
  });
});
