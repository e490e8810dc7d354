import { manualSeed, ops, tensor } from "@armseg/torch";
import { expect, test } from "vitest";
import { INDICATORS } from "../reweighting/indicators.ts";
import { lowVarianceMap } from "./low-variance-map.ts";

test("a sure and an unsure pixel", () => {
  const logits = tensor([[[[20, 0]], [[0, 0]]]]);
  const { size, confidence, isLow, lowFraction } = lowVarianceMap(logits, [1, 2]);
  expect(size).toEqual([1, 2]);
  expect([...confidence]).toEqual([expect.closeTo(1, 6), expect.closeTo(-1, 6)]);
  expect([[...isLow], lowFraction]).toEqual([[0, 1], 0.5]);
});

test.each(INDICATORS)("%s by the kernel and by ATen is the same", (indicator) => {
  manualSeed(0);
  const logits = ops.randn([1, 5, 4, 6]).mul(2);
  const logScale = ops.randn([1, 1, 4, 6]);
  const fused = lowVarianceMap(logits, [13, 17], { indicator, logScale });
  const composed = lowVarianceMap(logits.to("float64"), [13, 17], {
    indicator,
    logScale: logScale.to("float64"),
  });
  for (const [i, u] of fused.confidence.entries()) expect(u).toBeCloseTo(composed.confidence[i] as number, 4);
});

test("takes one image", () => {
  expect(() => lowVarianceMap(ops.zeros([2, 3, 4, 4]), [8, 8])).toThrow(
    "expected logits [1, C, h, w], got [2, 3, 4, 4]",
  );
});
