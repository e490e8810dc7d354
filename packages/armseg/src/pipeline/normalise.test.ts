import { expect, test } from "vitest";
import { floats, golden } from "./golden/read-golden.ts";
import { normalisedLevels, plainLevels, writeFrame } from "./normalise.ts";
import { IMAGENET_NORMALISE } from "./presets.ts";

test("levels equal (v - mean) / std in float32", () => {
  const { tables } = normalisedLevels(IMAGENET_NORMALISE);
  const expected = floats(golden.levels);
  for (let v = 0; v < 256; v++) for (let c = 0; c < 3; c++) expect(tables[c]?.[v]).toBe(expected[3 * v + c]);
});

test("a frame holds the image top left and zero elsewhere, in both memory layouts", () => {
  const image = { height: 1, width: 2, data: Uint8Array.of(1, 2, 3, 4, 5, 6) };
  const levels = normalisedLevels({ mean: [0, 0, 0], std: [1, 1, 1] });
  const out = new Float32Array(18).fill(9);
  writeFrame(image, levels, out, [2, 3], "channelsFirst");
  expect([...out]).toEqual([1, 4, 0, 0, 0, 0, 2, 5, 0, 0, 0, 0, 3, 6, 0, 0, 0, 0]);
  out.fill(9);
  writeFrame(image, levels, out, [2, 3], "channelsLast");
  expect([...out]).toEqual([1, 2, 3, 4, 5, 6, ...new Array<number>(12).fill(0)]);
});

test("8-bit frames keep their levels and are padded with the rounded mean", () => {
  const image = { height: 1, width: 1, data: Uint8Array.of(1, 2, 255) };
  const out = new Uint8Array(6);
  writeFrame(image, plainLevels(IMAGENET_NORMALISE), out, [1, 2], "channelsFirst");
  expect([...out]).toEqual([1, 124, 2, 116, 255, 104]);
  writeFrame(image, plainLevels(IMAGENET_NORMALISE), out, [1, 2], "channelsLast");
  expect([...out]).toEqual([1, 2, 255, 124, 116, 104]);
});
