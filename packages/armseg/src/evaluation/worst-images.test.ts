import { expect, test } from "vitest";
import { ConfusionMatrix } from "./confusion-matrix.ts";
import { WorstImages } from "./worst-images.ts";

const withErrors = (wrong: number, right = 10) =>
  ConfusionMatrix.fromArray([
    [right, wrong],
    [0, 0],
  ]);

test("keeps the k worst, worst first, by the score asked for", () => {
  const worst = new WorstImages(2, "aAcc");
  for (const [name, wrong] of Object.entries({ a: 0, b: 30, c: 10, d: 90, e: 5 }))
    worst.add(name, withErrors(wrong));
  expect(worst.list()).toEqual([
    { name: "d", score: 0.1 },
    { name: "b", score: 0.25 },
  ]);
});

test("mIoU of an image is over the classes that it has", () => {
  // Class 0: 10 of 20; class 1 is predicted only: 0.
  expect(new WorstImages(1).add("a", withErrors(10)).list()).toEqual([{ name: "a", score: 0.25 }]);
});

test("an image without labelled pixels has no score", () => {
  expect(new WorstImages(3).add("void", new ConfusionMatrix(2)).list()).toEqual([]);
});
