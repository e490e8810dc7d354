import { manualSeed, ops, tensor } from "@armseg/torch";
import { expect, test } from "vitest";
import { SegmentationLoss } from "../losses/segmentation-loss.ts";
import { LinearCurve } from "../reweighting/linear-curve.ts";
import { lossProfile } from "./loss-profile.ts";

/** Counts, weights, losses at five knots: two bins of two and three knots. */
const bins = tensor(
  [
    [4, 0, 1, 2, 1],
    [2, 0, 0.5, 1, 0],
    [8, 0, 1, 2, 1],
    [0, 0, 0, 0, 0],
  ],
  { dtype: "float64" },
);

test("a profile sums neighbouring knots and divides by their pixels", () => {
  expect(lossProfile(bins, { binCount: 5 })).toEqual({
    confidence: [-1, -0.5, 0, 0.5, 1],
    count: [4, 0, 1, 2, 1],
    meanLoss: [2, Number.NaN, 1, 1, 1],
    meanWeight: [0.5, Number.NaN, 0.5, 0.5, 0],
  });
  expect(lossProfile(bins, { binCount: 2 })).toEqual({
    confidence: [-0.5, 0.75],
    count: [5, 3],
    meanLoss: [9 / 5, 1],
    meanWeight: [0.5, 1 / 3],
  });
});

test("of a loss, it holds every valid pixel", () => {
  manualSeed(0);
  const curve = new LinearCurve({ slope: 0, intercept: 1 });
  const labels = ops.randint(0, 3, [1, 20, 20], { dtype: "int64" });
  const result = new SegmentationLoss({ curve }).call({ logits: ops.randn([1, 3, 5, 5]), labels });
  const profile = lossProfile(result.report?.bins?.sums ?? null);
  expect(profile.count.reduce((a, b) => a + b)).toBeCloseTo(400, 6);
  const total = profile.meanLoss.reduce(
    (sum, loss, k) => sum + (loss || 0) * (profile.count[k] as number),
    0,
  );
  expect(total / 400).toBeCloseTo(result.meanLoss.item(), 4);
  expect(profile.meanWeight.filter((w) => !Number.isNaN(w)).every((w) => Math.abs(w - 1) < 1e-6)).toBe(true);
});

test("without a curve there are no bins, and the error says what to do", () => {
  expect(() => lossProfile(null)).toThrow("got none; call the loss with a curve");
  expect(() => lossProfile(bins, { binCount: 6 })).toThrow("expected bins of at least 6 knots, got 5");
});
