import { expect, test } from "vitest";
import { bucketMeans } from "./bucket-means.ts";

test("few points are left as they are", () => {
  const points = [
    [1, 2],
    [2, Number.NaN],
  ] as const;
  expect(bucketMeans(points, 2)).toEqual({ points, band: [] });
});

test("neighbours are joined into their mean and range; what is no number is left out", () => {
  const points = [
    [1, 1],
    [2, 3],
    [3, 5],
    [4, Number.NaN],
    [5, Number.NaN],
    [6, Number.NaN],
  ] as const;
  const { points: means, band } = bucketMeans(points, 3);
  expect(means).toEqual([
    [1.5, 2],
    [3.5, 5],
    [5.5, Number.NaN],
  ]);
  expect(band.slice(0, 2)).toEqual([
    [1.5, 1, 3],
    [3.5, 5, 5],
  ]);
});

test("every point is in one bucket", () => {
  const points = Array.from({ length: 1001 }, (_, i): [number, number] => [i, 1]);
  const { points: means } = bucketMeans(points, 100);
  expect(means).toHaveLength(100);
  expect(means.every(([, value]) => value === 1)).toBe(true);
});
