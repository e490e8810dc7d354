import { expect, test } from "vitest";
import { IMAGENET_NORMALISE } from "./augment.ts";
import { floats, golden } from "./golden/read-golden.ts";
import { normalisedLevels, writeFrame } from "./normalise.ts";

test("levels equal (v - mean) / std in float32", () => {
  const levels = normalisedLevels(IMAGENET_NORMALISE);
  const expected = floats(golden.levels);
  for (let v = 0; v < 256; v++) for (let c = 0; c < 3; c++) expect(levels[c]?.[v]).toBe(expected[3 * v + c]);
});

test("a frame holds the image top left and zero elsewhere", () => {
  const image = { height: 1, width: 2, data: Uint8Array.of(1, 2, 3, 4, 5, 6) };
  const levels = normalisedLevels({ mean: [0, 0, 0], std: [1, 1, 1] });
  const out = new Float32Array(18).fill(9);
  writeFrame(image, levels, out, [2, 3]);
  expect([...out]).toEqual([1, 4, 0, 0, 0, 0, 2, 5, 0, 0, 0, 0, 3, 6, 0, 0, 0, 0]);
});
