import { generateScene, HashRandom, scenesClasses } from "@armseg/scenes";
import { describe, expect, test } from "vitest";
import { coarsen } from "./coarsen.ts";
import { coarsenPresets } from "./parameters.ts";
import { type CoarsePolygon, rasterisePolygons } from "./rasterise.ts";
import { coarsenText } from "./statistics-table.ts";
import { measure } from "./testing/measure.ts";
import { withWrongPolygons } from "./wrong-polygons.ts";

const names = scenesClasses.map(({ name }) => name);
const frames = Array.from(
  { length: 12 },
  (_, index) => generateScene({ seed: 5, index, height: 128, width: 256 }).label,
);
const polygonsOf = (options: object) =>
  frames.map((fine, index) => coarsen(fine, { seed: 1, index, numClasses: 11, names, ...options }).polygons);

describe("a share of the polygons", () => {
  test("is wrong, the others are as without; every mistake occurs", () => {
    const [right, some] = [polygonsOf({}).flat(), polygonsOf({ wrong: 0.5 }).flat()];
    expect(some).toHaveLength(right.length);
    const wrong = some.filter(({ mistake }) => mistake);
    // Half of them, less the large ones.
    expect(wrong.length / some.length).toBeGreaterThan(0.3);
    expect(wrong.length / some.length).toBeLessThan(0.55);
    expect(new Set(wrong.map(({ mistake }) => mistake))).toEqual(
      new Set(["other class", "shifted", "merged"]),
    );
    some.forEach((polygon, i) => {
      if (!polygon.mistake) expect(polygon).toEqual(right[i]);
      else expect(polygon).not.toEqual({ ...right[i], mistake: polygon.mistake });
      expect(polygon.label === right[i]!.label).toBe(!polygon.mistake || polygon.mistake === "shifted");
    });
  });

  test("is the same for the same seed, and what is drawn is the rasterisation of it", () => {
    const options = { seed: 3, index: 2, numClasses: 11, wrong: 0.5 };
    const first = coarsen(frames[0]!, options);
    expect(coarsen(frames[0]!, options)).toEqual(first);
    expect(coarsen(frames[0]!, { ...options, seed: 4 }).polygons).not.toEqual(first.polygons);
    expect(first.label).toEqual(rasterisePolygons(first.polygons, 128, 256));
    for (const [x, y] of first.polygons.flatMap(({ vertices }) => vertices))
      expect(x >= 0 && x < 256 && y >= 0 && y < 128).toBe(true);
  });

  test("goes by the class's name, also by CamVid's for Cityscapes' classes", () => {
    const wrong = { share: 0, shareOf: { car: 1, vegetation: 1 } };
    const preset = { ...coarsenPresets.cityscapes, wrong };
    const [right, some] = [polygonsOf({}).flat(), polygonsOf({ preset }).flat()];
    right.forEach(({ label }, i) => {
      if (!["car", "tree"].includes(names[label]!)) expect(some[i]!.mistake, names[label]!).toBeUndefined();
    });
    // But for one that cannot be shifted, and what has nothing beside it.
    for (const name of ["car", "tree"]) {
      const named = some.filter((_, i) => names[right[i]!.label] === name);
      expect(named.filter(({ mistake }) => mistake).length / named.length).toBeGreaterThan(0.9);
    }
  });

  test("without names the classes of a preset are all alike", () => {
    expect(polygonsOf({ preset: "cityscapes-wrong", names: undefined })).toEqual(polygonsOf({}));
  });
});

describe("what a polygon is taken for", () => {
  const square = (label: number, left: number, top: number, side: number): CoarsePolygon => ({
    label,
    vertices: [
      [left, top],
      [left + side, top],
      [left + side, top + side],
      [left, top + side],
    ],
  });
  const [height, width] = [40, 80];
  // A car (class 0) on a road (class 1), beside it a sky (class 2) far away.
  const classes = new Int16Array(height * width).fill(1);
  for (let row = 0; row < 8; row++) classes.fill(2, row * width, (row + 1) * width);
  for (let row = 20; row < 31; row++) classes.fill(0, row * width + 20, row * width + 31);
  const polygons = [square(1, 0, 12, 27), square(2, 0, 0, 6), square(0, 20, 20, 10)];
  const chanceOf = (i: number) => () => (i + 0.5) / 200;
  const alwaysWrong = { share: 0, shareOf: { car: 1 } };
  const carsOf = (known: readonly string[]) =>
    Array.from({ length: 200 }, (_, i) => {
      const frame = { classes, height, width, names: known };
      return withWrongPolygons(polygons, alwaysWrong, frame, chanceOf(i), new HashRandom(i))[2]!;
    });

  test("is a class beside it, never one far away", () => {
    const cars = carsOf(["car", "road", "sky"]);
    const labels = (kind: string) =>
      new Set(cars.filter(({ mistake }) => mistake === kind).map(({ label }) => label));
    expect(labels("other class")).toEqual(new Set([1]));
    expect(labels("merged")).toEqual(new Set([1]));
    expect(labels("shifted")).toEqual(new Set([0]));
  });

  test("is a class like it, where there is one", () => {
    const others = carsOf(["car", "road", "sky", "truck"]).filter(({ mistake }) => mistake === "other class");
    const trucks = others.filter(({ label }) => label === 3).length / others.length;
    expect(trucks).toBeGreaterThan(0.55);
    expect(trucks).toBeLessThan(0.85);
  });

  test("merged, it is joined to the nearest polygon of that class", () => {
    const merged = carsOf(["car", "road", "sky"]).find(({ mistake }) => mistake === "merged")!;
    // The hull of the car and the two nearest corners of the road, at (27, 12) and (27, 39).
    expect(merged.vertices).toContainEqual([27, 12]);
    expect(merged.vertices).toContainEqual([20, 20]);
    const drawn = rasterisePolygons([merged], height, width);
    expect(drawn.data[15 * width + 26]).toBe(1);
  });

  test("nothing, where there is no other class: it stays as it is", () => {
    const frame = { classes: new Int16Array(height * width), height, width, names: ["car"] };
    const alone = Array.from(
      { length: 50 },
      (_, i) => withWrongPolygons([polygons[2]!], alwaysWrong, frame, chanceOf(i), new HashRandom(i))[0]!,
    );
    for (const polygon of alone) expect([undefined, "shifted"]).toContain(polygon.mistake);
  });

  test("a polygon as large as the frame hardly ever", () => {
    const whole: CoarsePolygon = {
      label: 1,
      vertices: [
        [0, 0],
        [width - 1, 0],
        [width - 1, height - 1],
        [0, height - 1],
      ],
    };
    const frame = { classes, height, width };
    const wrong = Array.from(
      { length: 200 },
      (_, i) =>
        withWrongPolygons([whole], { share: 0.5, shareOf: {} }, frame, chanceOf(i), new HashRandom(i))[0]!,
    ).filter(({ mistake }) => mistake);
    expect(wrong.length).toBeLessThan(8);
  });
});

test("the statistics count them", () => {
  const statistics = measure(frames.slice(0, 4), { wrong: 1 });
  expect(statistics.wrongPolygons).toBeGreaterThan(0.5);
  expect(coarsenText(statistics)).toMatch(/wrong polygons, % +\d/);
  expect(measure(frames.slice(0, 2), {}).wrongPolygons).toBe(0);
});

test("shares out of range are named", () => {
  const options = { seed: 0, index: 0, numClasses: 11 };
  expect(() => coarsen(frames[0]!, { ...options, wrong: 1.5 })).toThrow(/wrong .* 0 to 1, got 1.5/);
  const preset = { ...coarsenPresets.light, wrong: { share: 0, shareOf: { car: -1 } } };
  expect(() => coarsen(frames[0]!, { ...options, preset })).toThrow(/wrong\.car .* got -1/);
});
