import { generateScene } from "@armseg/scenes";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ClassInfo, LabelImage } from "../data/sample.ts";
import { type CoarsenOptions, coarsen } from "./coarsen.ts";
import { coarsenPresets } from "./parameters.ts";
import { rasterisePolygons } from "./rasterise.ts";
import { type CoarsenStatistics, coarsenStatistics } from "./statistics.ts";
import { coarsenText } from "./statistics-table.ts";
import { measure } from "./testing/measure.ts";

const options: CoarsenOptions = { seed: 1, index: 0, numClasses: 11 };
const scene = (index: number, height = 128, width = 256) =>
  generateScene({ seed: 5, index, height, width }).label;
const filled = (height: number, width: number, value: number): LabelImage => ({
  height,
  width,
  data: new Uint8Array(height * width).fill(value),
});

describe("a coarse label", () => {
  test("is the same for the same seed and index, and another for others", () => {
    const fine = scene(0);
    const first = coarsen(fine, options);
    expect(coarsen(fine, options)).toEqual(first);
    expect(coarsen(fine, { ...options, seed: 2 }).label.data).not.toEqual(first.label.data);
    expect(coarsen(fine, { ...options, index: 1 }).label.data).not.toEqual(first.label.data);
  });

  test("leaves the fine label as it was", () => {
    const fine = scene(1);
    const before = Uint8Array.from(fine.data);
    coarsen(fine, options);
    expect(fine.data).toEqual(before);
  });

  test("is exactly the rasterisation of its polygons, whatever the fine label", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 40 }),
        fc.constantFrom("light", "cityscapes", "heavy"),
        fc.integer(),
        fc.infiniteStream(fc.constantFrom(0, 1, 2, 3, 255)),
        (height, width, preset, seed, values) => {
          const data = Uint8Array.from({ length: height * width }, () => values.next().value);
          // Every value twice in a row and every row twice: larger than single pixels.
          const fine = {
            height,
            width,
            data: data.map((_, i) => data[(i - (i % 2)) % data.length]!),
          };
          const { label, polygons } = coarsen(fine, { preset, seed, index: 3, numClasses: 4 });
          expect(label).toEqual(rasterisePolygons(polygons, height, width));
          for (const { label: value, vertices } of polygons) {
            expect(value).toBeLessThan(4);
            for (const [x, y] of vertices) {
              expect(x >= 0 && x < width && y >= 0 && y < height).toBe(true);
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test.each(["light", "cityscapes", "heavy"] as const)("of degenerate labels is valid (%s)", (preset) => {
    for (const fine of [
      filled(1, 1, 0),
      filled(1, 1, 255),
      filled(20, 30, 255),
      filled(1, 300, 3),
      filled(300, 1, 3),
    ]) {
      const { label, polygons } = coarsen(fine, { ...options, preset });
      expect(label).toEqual(rasterisePolygons(polygons, fine.height, fine.width));
      expect(label.data.every((value, i) => value === 255 || value === fine.data[i])).toBe(true);
    }
  });

  test("may have 256 classes", () => {
    const fine = { height: 64, width: 64, data: Uint8Array.from({ length: 4096 }, (_, i) => (i >> 4) & 255) };
    const { polygons } = coarsen(fine, { ...options, numClasses: 256, preset: "light" });
    expect(polygons.every(({ label }) => label < 256)).toBe(true);
  });

  test("covers one large region up to a margin along the frame", () => {
    const shares = Array.from({ length: 40 }, (_, index) => {
      const { label } = coarsen(filled(128, 256, 2), { ...options, index });
      return label.data.filter((value) => value === 2).length / label.data.length;
    });
    expect(Math.max(...shares)).toBeGreaterThan(0.9);
    expect(shares.filter((share) => share > 0.6).length).toBeGreaterThan(28);
  });

  test("covers less, with more errors, the heavier the preset", () => {
    const statistics = (["light", "cityscapes", "heavy"] as const).map((preset) =>
      measure(
        Array.from({ length: 8 }, (_, i) => scene(i)),
        { preset },
      ),
    );
    const [light, middle, heavy] = statistics as [CoarsenStatistics, CoarsenStatistics, CoarsenStatistics];
    expect(light.coverage).toBeGreaterThan(middle.coverage + 0.05);
    expect(middle.coverage).toBeGreaterThan(heavy.coverage + 0.05);
    expect(middle.correctness).toBeGreaterThan(heavy.correctness);
  });
});

describe("errors name the value", () => {
  const fine = filled(4, 4, 0);
  test.each([
    [() => coarsen({ ...fine, height: 5 }, options), /16 for 5×4/],
    [() => coarsen(fine, { ...options, numClasses: 0 }), /numClasses .* got 0/],
    [() => coarsen(fine, { ...options, seed: 0.5 }), /seed .* got 0.5/],
    [
      () => coarsen(fine, { ...options, preset: "medium" as "light" }),
      /light, cityscapes, cityscapes-wrong, heavy, got "medium"/,
    ],
    [
      () => coarsen(fine, { ...options, preset: { ...coarsenPresets.light, tolerance: -1 } }),
      /tolerance .* got -1/,
    ],
    [
      () => coarsen(fine, { ...options, preset: { ...coarsenPresets.light, regionShare: 2 } }),
      /regionShare .* got 2/,
    ],
    [
      () =>
        coarsen(fine, {
          ...options,
          preset: {
            ...coarsenPresets.light,
            coverage: [
              [4, 0.5],
              [2, 0.6],
            ],
          },
        }),
      /rising distances/,
    ],
  ])("%#", (act, message) => {
    expect(act).toThrow(message);
  });
});

test("statistics count by hand", () => {
  const classes: ClassInfo[] = ["a", "b"].map((name) => ({ name, color: [0, 0, 0] }));
  const fine = { height: 2, width: 4, data: Uint8Array.of(0, 0, 1, 1, 0, 0, 1, 255) };
  const coarse = { height: 2, width: 4, data: Uint8Array.of(0, 255, 0, 1, 0, 255, 255, 1) };
  const result = coarsenStatistics([{ fine, coarse }], classes);
  expect(result.coverage).toBeCloseTo(4 / 7);
  expect(result.correctness).toBeCloseTo(3 / 4);
  expect(result.classes.map(({ coverage }) => coverage)).toEqual([2 / 4, 2 / 3]);
  expect(result.classes[1]!.correctness).toBe(1 / 2);
  // Half a pixel of a frame 4 wide is 256 pixels of one 2048 wide.
  expect(result.bands[7]!.share).toBe(1);
  expect(coarsenText(result)).toMatch(/covered, % +57\.1 +70\.1/);
  expect(() => coarsenStatistics([{ fine, coarse: filled(1, 1, 0) }], classes)).toThrow(/2×4 fine and 1×1/);
});
