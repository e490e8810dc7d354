import { mean } from "../core/statistics.ts";
import type { Point } from "./svg/line-chart.ts";

/** A long, noisy series made short: means of buckets, with the range that each bucket spans. */
export interface BucketMeans {
  readonly points: readonly Point[];
  /** Lowest and highest value of each bucket; empty where nothing had to be joined. */
  readonly band: readonly (readonly [x: number, low: number, high: number])[];
}

/**
 * Joins neighbouring points so that at most `count` remain. Values that are not finite are left out; a bucket of
 * nothing else is NaN, which interrupts the line.
 */
export function bucketMeans(points: readonly Point[], count = 120): BucketMeans {
  if (points.length <= count) return { points, band: [] };
  const buckets = Array.from({ length: count }, (_, i) =>
    points.slice(Math.floor((i * points.length) / count), Math.floor(((i + 1) * points.length) / count)),
  );
  const summaries = buckets.map((bucket) => {
    const values = bucket.map(([, value]) => value).filter(Number.isFinite);
    const x = (bucket[0]![0] + bucket.at(-1)![0]) / 2;
    return { x, mean: mean(values), low: Math.min(...values), high: Math.max(...values) };
  });
  return {
    points: summaries.map(({ x, mean }) => [x, mean]),
    band: summaries.map(({ x, low, high }) => [x, low, high]),
  };
}
