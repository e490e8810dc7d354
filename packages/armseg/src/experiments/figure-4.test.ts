import { manualSeed, ops, tensor } from "@armseg/torch";
import { expect, test } from "vitest";
import { INDICATORS } from "../reweighting/indicators.ts";
import { brightnessOf, greenWhereLow, type LowVarianceMap, lowVarianceMap } from "./figure-4.ts";

const map: LowVarianceMap = {
  size: [1, 3],
  confidence: Float32Array.of(-1, 0, 1),
  isLow: Uint8Array.of(1, 0, 0),
  lowFraction: 1 / 3,
};

test("first row: pixels of low variance are green on the image, the others bare", () => {
  const image = { height: 1, width: 3, data: Uint8Array.of(100, 50, 200, 1, 2, 3, 7, 8, 9) };
  const { data } = greenWhereLow(image, map);
  expect([...data]).toEqual([40, 173, 80, 1, 2, 3, 7, 8, 9]); // 0.4 of the image, 0.6 of (0, 255, 0)
});

test("second row: the variance as brightness", () => {
  const { height, width, data } = brightnessOf(map);
  expect([height, width]).toEqual([1, 3]);
  expect([...data]).toEqual([0, 0, 0, 128, 128, 128, 255, 255, 255]);
});

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
