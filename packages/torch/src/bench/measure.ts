/** The middle of a list of numbers. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) throw new RangeError("median(): expected at least one number, got none");
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] as number)) / 2;
}

/** Median time of one run in milliseconds, after some runs that are not counted. */
export function medianMs(run: () => unknown, options: { runs: number; warmUp?: number }): number {
  for (let i = 0; i < (options.warmUp ?? 2); i++) run();
  const times = Array.from({ length: options.runs }, () => {
    const start = performance.now();
    run();
    return performance.now() - start;
  });
  return median(times);
}
