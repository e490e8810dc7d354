import type { Device } from "../dtype.ts";
import { synchronize } from "../runtime.ts";

/** The middle of a list of numbers. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) throw new RangeError("median(): expected at least one number, got none");
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] as number)) / 2;
}

/** Time of one run in milliseconds, until the device has done what was queued on it. */
export function timeMs(run: () => unknown, device: Device = "cpu"): number {
  synchronize(device);
  const start = performance.now();
  run();
  synchronize(device);
  return performance.now() - start;
}

/** Median time of one run in milliseconds, after some runs that are not counted. */
export function medianMs(
  run: () => unknown,
  options: { runs: number; warmUp?: number; device?: Device },
): number {
  for (let i = 0; i < (options.warmUp ?? 2); i++) run();
  return median(Array.from({ length: options.runs }, () => timeMs(run, options.device)));
}
