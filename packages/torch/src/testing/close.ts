import { expect } from "vitest";
import type { NestedNumbers, Tensor } from "../index.ts";

function flat(values: NestedNumbers): number[] {
  return typeof values === "object" ? values.flatMap(flat) : [Number(values)];
}

/** Returns the numbers as the nearest float32 numbers, in one row. */
export function float32(values: NestedNumbers): Float32Array {
  return Float32Array.from(flat(values));
}

/** Asserts that a tensor holds these numbers up to `tolerance`, relative to the larger of 1 and the number. */
export function expectClose(actual: Tensor, expected: NestedNumbers, tolerance = 1e-5): void {
  const wanted = flat(expected);
  const found = Array.from(actual.toTypedArray(), Number);
  expect(found.length).toBe(wanted.length);
  const errors = wanted.map(
    (value, i) => Math.abs((found[i] as number) - value) / Math.max(1, Math.abs(value)),
  );
  expect(
    errors.reduce((worst, error) => (error > worst || Number.isNaN(error) ? error : worst), 0),
  ).toBeLessThan(tolerance);
}
