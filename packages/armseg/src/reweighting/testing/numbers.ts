import type { Tensor } from "@armseg/torch";
import { noGrad, tensor } from "@armseg/torch";
import { testDevice } from "@armseg/torch/testing";

/** The elements of a tensor as plain numbers, in row-major order. */
export function numbers(of: Tensor): number[] {
  return Array.from(of.toTypedArray() as Iterable<number>, Number);
}

/** A float64 tensor on the test device. */
export function doubles(values: Parameters<typeof tensor>[0]): Tensor {
  return tensor(values, { dtype: "float64", device: testDevice });
}

/** Largest difference, relative to the largest expected value (or to 1 if `floor` says so). */
export function relativeError(
  actual: readonly number[],
  expected: readonly number[],
  floor = 1e-300,
): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  const scale = Math.max(floor, ...expected.map(Math.abs));
  const worst = actual.map((value, i) => Math.abs(value - (expected[i] as number)) / scale);
  return worst.some(Number.isNaN) ? Number.POSITIVE_INFINITY : Math.max(0, ...worst);
}

/** Central differences of `f` at a float64 tensor, which is put back as it was. */
export function numericalGradient(f: () => number, at: Tensor, step = 1e-5): number[] {
  return noGrad(() => {
    const flat = at.detach().view([-1]);
    return numbers(flat).map((value, i) => {
      const element = flat.select(0, i);
      element.fill_(value + step);
      const above = f();
      element.fill_(value - step);
      const below = f();
      element.fill_(value);
      return (above - below) / (2 * step);
    });
  });
}
