import { describe, expect, test } from "vitest";
import { curveAgainstOptimum, hoelderOptimum, type MeasuredCurve } from "./hoelder-optimum.ts";

function record(
  p: number,
  weightAt: (u: number) => number,
  more: Partial<MeasuredCurve> = {},
): MeasuredCurve {
  const knots = Array.from({ length: 129 }, (_, i) => i / 64 - 1);
  const centres = [-0.75, -0.25, 0.25, 0.75];
  return {
    p,
    knots,
    weights: knots.map(weightAt),
    meanLossPerBin: centres.map((u) => 4 - 2 * u),
    countPerBin: [1, 2, 3, 10],
    ...more,
  };
}

describe("optimum", () => {
  test("p = 2 gives weights proportional to the loss, of norm 1", () => {
    expect(hoelderOptimum([3, 4], 2)).toEqual([0.6, 0.8]);
  });

  test("p = 3 gives weights proportional to the root of the loss", () => {
    const [a = 0, b = 0] = hoelderOptimum([1, 4], 3);
    expect(b / a).toBeCloseTo(2, 12);
    expect(a ** 3 + b ** 3).toBeCloseTo(1, 12);
  });

  test("p = 1 gives all weight to the hardest bin", () => {
    expect(hoelderOptimum([1, 5, 2], 1)).toEqual([0, 1, 0]);
  });

  test("no other weights of the same norm reach a larger sum", () => {
    const losses = [0.2, 1.7, 0.9];
    const counts = [5, 1, 3];
    const value = (w: readonly number[]) =>
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
    expect(hoelderOptimum([Number.NaN, 2, -1], 2)).toEqual([Number.NaN, 1, 0]);
    expect(hoelderOptimum([0, 0], 2)).toEqual([0, 0]);
    expect(hoelderOptimum([], 2)).toEqual([]);
  });
});

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

  test("a bin of negative loss has optimum 0, as under the KL loss", () => {
    const { optimum } = curveAgainstOptimum(record(3, () => 1, { meanLossPerBin: [4, 1, -0.5, -1] }))!;
    expect(optimum.slice(2)).toEqual([0, 0]);
    expect(optimum[0]! / optimum[1]!).toBeCloseTo(2, 12);
  });

  test("p = 1 has no optimum, nor has a record without a pixel", () => {
    expect(curveAgainstOptimum(record(1, () => 1))).toBeUndefined();
    expect(curveAgainstOptimum(record(2, () => 1, { countPerBin: [0, 0, 0, 0] }))).toBeUndefined();
  });
});
