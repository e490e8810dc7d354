import fc from "fast-check";
import { expect, test } from "vitest";
import { slidingWindows } from "./windows.ts";

test("Cityscapes at 769 with stride 513, as mmsegmentation lays it out", () => {
  const windows = slidingWindows([1024, 2048], { crop: [769, 769], stride: [513, 513] });
  expect([...new Set(windows.map(({ top }) => top))]).toEqual([0, 255]);
  expect([...new Set(windows.map(({ left }) => left))]).toEqual([0, 513, 1026, 1279]);
  expect(windows).toHaveLength(8);
});

test("windows lie inside, cover every pixel, and none is there twice", () => {
  const length = fc.integer({ min: 1, max: 30 });
  const sizes = fc.record({
    size: fc.tuple(length, length),
    crop: fc.tuple(length, length),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  fc.assert(
    fc.property(sizes, ({ size, crop, share }) => {
      const stride = crop.map((side) => Math.max(1, Math.round(side * share))) as [number, number];
      const windows = slidingWindows(size, { crop, stride });
      const covered = new Uint8Array(size[0] * size[1]);
      for (const { top, left, height, width } of windows) {
        expect([height, width]).toEqual([Math.min(crop[0], size[0]), Math.min(crop[1], size[1])]);
        for (let y = top; y < top + height; y++)
          covered.fill(1, y * size[1] + left, y * size[1] + left + width);
        expect(top >= 0 && top + height <= size[0] && left >= 0 && left + width <= size[1]).toBe(true);
      }
      expect(covered.every((value) => value === 1)).toBe(true);
      expect(new Set(windows.map(({ top, left }) => `${top} ${left}`)).size).toBe(windows.length);
    }),
  );
});

test.each([
  [
    [4, 4],
    [5, 4],
  ],
  [
    [4, 4],
    [0, 4],
  ],
  [
    [4.5, 4],
    [4, 4],
  ],
] as const)("crop %j with stride %j is refused", (crop, stride) => {
  expect(() => slidingWindows([8, 8], { crop, stride })).toThrow(/0 < stride ≤ crop/);
});
