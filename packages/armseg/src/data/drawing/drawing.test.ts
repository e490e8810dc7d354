import sharp from "sharp";
import { describe, expect, test } from "vitest";
import type { ClassInfo, RgbImage } from "../sample.ts";
import { encodeRgbPng, heatmap, overlay, viridis } from "./index.ts";

const classes: ClassInfo[] = [
  { name: "road", color: [100, 0, 200] },
  { name: "sky", color: [0, 50, 0] },
];
const grey = (height: number, width: number, value: number): RgbImage => ({
  height,
  width,
  data: new Uint8Array(height * width * 3).fill(value),
});

describe("overlay", () => {
  const label = { height: 1, width: 3, data: Uint8Array.of(0, 1, 255) };
  test("mixes image and colour, and shows the image where labels are ignored", () => {
    const { data } = overlay(grey(1, 3, 40), label, classes, 0.25);
    expect([...data]).toEqual([55, 30, 80, 30, 43, 30, 40, 40, 40]);
  });
  test("names sizes, opacity and labels that do not fit", () => {
    expect(() => overlay(grey(2, 3, 0), label, classes)).toThrow(/2×3, got 1×3/);
    expect(() => overlay(grey(1, 3, 0), label, classes, 2)).toThrow(/alpha from 0 to 1, got 2/);
    expect(() => overlay(grey(1, 3, 0), label, classes.slice(1))).toThrow(/below 1 or 255, got 1/);
  });
});

describe("heatmap", () => {
  test("runs from dark blue to yellow; not a number is grey", () => {
    const map = { height: 1, width: 4, data: Float32Array.of(0, 5, 10, Number.NaN) };
    expect([...heatmap(map).data]).toEqual([68, 1, 84, 33, 144, 141, 253, 231, 37, 128, 128, 128]);
    expect([...heatmap(map, [10, 20]).data.subarray(0, 3)]).toEqual([68, 1, 84]);
    expect(viridis(7)).toEqual([253, 231, 37]);
  });
  test("a map without any spread or number is still an image", () => {
    expect(heatmap({ height: 1, width: 1, data: Float32Array.of(Number.NaN) }).data).toHaveLength(3);
    expect(heatmap({ height: 1, width: 1, data: Float32Array.of(3) }).data).toHaveLength(3);
    expect(() => heatmap({ height: 1, width: 1, data: Float32Array.of(3) }, [0, Infinity])).toThrow(
      /Infinity/,
    );
    expect(() => heatmap({ height: 2, width: 1, data: Float32Array.of(3) })).toThrow(/2×1/);
  });
});

test("an RGB PNG keeps every byte", async () => {
  const image = { height: 3, width: 2, data: Uint8Array.from({ length: 18 }, (_, i) => i * 13) };
  const { data } = await sharp(await encodeRgbPng(image))
    .raw()
    .toBuffer({ resolveWithObject: true });
  expect(Uint8Array.from(data)).toEqual(image.data);
});
