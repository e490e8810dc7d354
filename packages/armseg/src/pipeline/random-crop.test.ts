import fc from "fast-check";
import { expect, test } from "vitest";
import { CounterRandom, STREAMS } from "../core/random.ts";
import { countClasses, drawCrop, isVaried } from "./random-crop.ts";
import { resizeLabelWindow } from "./resize-label.ts";

const random = (index: number) => new CounterRandom({ seed: 4, iteration: 1, index, stream: STREAMS.crop });

/** Left quarter class 1, the rest class 0. */
const quarter = {
  height: 40,
  width: 80,
  data: Uint8Array.from({ length: 3200 }, (_, i) => (i % 80 < 20 ? 1 : 0)),
};

test("a crop is varied with two classes, the larger of which is below the ratio; ignored pixels do not count", () => {
  const counts = (entries: Record<number, number>) => Object.assign(new Float64Array(256), entries);
  expect(isVaried(counts({ 0: 74, 3: 26 }), 0.75)).toBe(true);
  expect(isVaried(counts({ 0: 75, 3: 25 }), 0.75)).toBe(false);
  expect(isVaried(counts({ 0: 74, 3: 26, 255: 900 }), 0.75)).toBe(true);
  expect(isVaried(counts({ 0: 50, 255: 50 }), 0.75)).toBe(false);
  expect(isVaried(counts({ 255: 50 }), 0.75)).toBe(false);
});

test("counts equal those of the resized window", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 48, maxLength: 48 }),
      fc.integer({ min: 6, max: 30 }),
      fc.integer({ min: 8, max: 30 }),
      (data, height, width) => {
        const label = { height: 6, width: 8, data };
        const window = { top: 1, left: 2, height: height - 3, width: width - 4 };
        const expected = new Float64Array(256);
        for (const value of resizeLabelWindow(label, [height, width], window).data) expected[value]!++;
        expect(countClasses(label, [height, width], window)).toEqual(expected);
      },
    ),
  );
});

test("crops are drawn again until they are varied, ten times at most", () => {
  const options = { size: [20, 20], maxCategoryRatio: 0.75 } as const;
  const varied = Array.from({ length: 300 }, (_, i) =>
    drawCrop(random(i), quarter, [40, 80], options),
  ).filter(({ left, width }) => left <= 14 && left + width > 20 + width / 4);
  // One draw is varied with p = 9/61; with ten more it fails with (52/61)^11 = 17 %.
  expect(varied.length).toBeGreaterThan(220);
  expect(varied.length).toBeLessThan(280);
  const plain = { ...quarter, data: new Uint8Array(3200) };
  expect(drawCrop(random(1), plain, [40, 80], options)).toMatchObject({ height: 20, width: 20 });
});

test("without a ratio the first window is taken", () => {
  const options = { size: [20, 20], maxCategoryRatio: 1 } as const;
  const generator = random(7);
  const first = { top: generator.integer(0, 21), left: generator.integer(0, 61), height: 20, width: 20 };
  expect(drawCrop(random(7), quarter, [40, 80], options)).toEqual(first);
});

test("the window is the whole image where the crop is larger", () => {
  const options = { size: [100, 50], maxCategoryRatio: 0.75 } as const;
  expect(drawCrop(random(0), quarter, [40, 80], options)).toMatchObject({ top: 0, height: 40, width: 50 });
});
