import { expect, test } from "vitest";
import { SCENE_CLASS, scenesClasses } from "./classes.ts";
import { generateScene } from "./generate-scene.ts";

test("the same seed and index give the same bytes, others give others, whatever was drawn before", () => {
  const options = { seed: 3, index: 7, height: 48, width: 96 };
  const first = generateScene(options);
  generateScene({ ...options, index: 8 });
  expect(generateScene(options)).toEqual(first);
  expect(generateScene({ ...options, index: 8 }).image.data).not.toEqual(first.image.data);
  expect(generateScene({ ...options, seed: 4 }).image.data).not.toEqual(first.image.data);
});

test("pictures and labels have the asked size, every label is a class", () => {
  for (const [height, width] of [
    [1, 1],
    [1, 40],
    [40, 1],
    [33, 47],
    [90, 60],
  ] as const) {
    const { image, label } = generateScene({ seed: 1, index: 0, height, width });
    expect([image.height, image.width, image.data.length]).toEqual([height, width, 3 * height * width]);
    expect([label.height, label.width, label.data.length]).toEqual([height, width, height * width]);
    expect(label.data.every((value) => value < scenesClasses.length)).toBe(true);
  }
});

test("class indices are those of the class list", () => {
  expect(Object.keys(SCENE_CLASS)).toEqual(scenesClasses.map(({ name }) => name));
  expect(Object.values(SCENE_CLASS)).toEqual(scenesClasses.map((_, i) => i));
});

test("every class occurs, none dominates, and no class has one colour of its own", () => {
  const counts = new Float64Array(11);
  const sums = new Float64Array(11);
  const squares = new Float64Array(11);
  for (let index = 0; index < 40; index++) {
    const { image, label } = generateScene({ seed: 2, index, height: 64, width: 128 });
    label.data.forEach((value, i) => {
      const grey = (image.data[3 * i]! + image.data[3 * i + 1]! + image.data[3 * i + 2]!) / 3;
      counts[value]!++;
      sums[value]! += grey;
      squares[value]! += grey * grey;
    });
  }
  const total = 40 * 64 * 128;
  counts.forEach((count, i) => {
    expect(count / total, scenesClasses[i]!.name).toBeGreaterThan(0.001);
    expect(count / total, scenesClasses[i]!.name).toBeLessThan(0.5);
    const mean = sums[i]! / count;
    expect(Math.sqrt(squares[i]! / count - mean * mean), scenesClasses[i]!.name).toBeGreaterThan(15);
  });
});

test.each([
  [{ height: 0 }, /height must be an integer from 1 to 8192, got 0/],
  [{ width: 9000 }, /width .* got 9000/],
  [{ seed: 0.5 }, /seed .* got 0.5/],
  [{ index: Number.NaN }, /index .* got NaN/],
])("wrong options are named: %j", (wrong, message) => {
  expect(() => generateScene({ seed: 1, index: 1, height: 8, width: 8, ...wrong })).toThrow(message);
});
