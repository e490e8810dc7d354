import sharp from "sharp";
import { describe, expect, test } from "vitest";
import type { ClassInfo, RgbImage } from "../sample.ts";
import { drawText_, encodeRgbPng, heatmap, legend, overlay, sheet, viridis } from "./index.ts";

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
  test("mixes picture and colour, and shows the picture where labels are ignored", () => {
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
  test("a map without any spread or number is still a picture", () => {
    expect(heatmap({ height: 1, width: 1, data: Float32Array.of(Number.NaN) }).data).toHaveLength(3);
    expect(heatmap({ height: 1, width: 1, data: Float32Array.of(3) }).data).toHaveLength(3);
    expect(() => heatmap({ height: 1, width: 1, data: Float32Array.of(3) }, [0, Infinity])).toThrow(
      /Infinity/,
    );
    expect(() => heatmap({ height: 2, width: 1, data: Float32Array.of(3) })).toThrow(/2×1/);
  });
});

describe("sheet", () => {
  test("lays pictures out in rows with captions below", () => {
    const page = sheet(
      [[{ image: grey(4, 20, 0), caption: "ab" }, { image: grey(6, 10, 0) }], [{ image: grey(2, 30, 0) }]],
      { gap: 2 },
    );
    // Columns 30 and 10; rows 6 + 10 for the line, and 2.
    expect([page.height, page.width]).toEqual([2 + 16 + 2 + 2 + 2, 2 + 30 + 2 + 10 + 2]);
    expect(page.data.subarray(0, 3)).toEqual(Uint8Array.of(255, 255, 255));
    expect(page.data[3 * (2 * page.width + 2)]).toBe(0);
    const caption = page.data.subarray(3 * 6 * page.width, 3 * 18 * page.width);
    expect(caption.includes(24)).toBe(true);
  });
  test("refuses to be empty", () => {
    expect(() => sheet([])).toThrow(/at least one picture/);
    expect(() => sheet([[]])).toThrow(/at least one picture/);
  });
});

test("a letter is drawn dot by dot, and text may leave the picture", () => {
  const page = grey(7, 5, 0);
  drawText_(page, "T", 0, 0, [1, 1, 1]);
  const rows = Array.from({ length: 7 }, (_, y) =>
    Array.from({ length: 5 }, (_, x) => page.data[3 * (5 * y + x)]).join(""),
  );
  expect(rows).toEqual(["11111", "10101", "00100", "00100", "00100", "00100", "00100"]);
  drawText_(page, "outside é", -20, 5, [9, 9, 9], 3);
});

test("the legend grows to its longest name and has a swatch a class", () => {
  const page = legend(classes, 10);
  expect(page.width).toBeGreaterThan(30);
  expect([...page.data.subarray(0, 3)]).toEqual([100, 0, 200]);
  expect(legend([], 40).data).toHaveLength(120);
});

test("an RGB PNG keeps every byte", async () => {
  const image = { height: 3, width: 2, data: Uint8Array.from({ length: 18 }, (_, i) => i * 13) };
  const { data } = await sharp(await encodeRgbPng(image))
    .raw()
    .toBuffer({ resolveWithObject: true });
  expect(Uint8Array.from(data)).toEqual(image.data);
});
