import { expect, test } from "vitest";
import { brightnessOf, greenWhereLow } from "./figure-4.ts";
import type { LowVarianceMap } from "./low-variance-map.ts";

const map: LowVarianceMap = {
  size: [1, 3],
  confidence: Float32Array.of(-1, 0, 1),
  isLow: Uint8Array.of(1, 0, 0),
  lowFraction: 1 / 3,
};

test("first row: pixels of low variance are green on the picture, the others bare", () => {
  const picture = { height: 1, width: 3, data: Uint8Array.of(100, 50, 200, 1, 2, 3, 7, 8, 9) };
  const { data } = greenWhereLow(picture, map);
  expect([...data]).toEqual([40, 173, 80, 1, 2, 3, 7, 8, 9]); // 0.4 of the picture, 0.6 of (0, 255, 0)
});

test("second row: the variance as brightness", () => {
  const { height, width, data } = brightnessOf(map);
  expect([height, width]).toEqual([1, 3]);
  expect([...data]).toEqual([0, 0, 0, 128, 128, 128, 255, 255, 255]);
});
