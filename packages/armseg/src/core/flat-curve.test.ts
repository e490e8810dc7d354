import { expect, test } from "vitest";
import { curveRange } from "./flat-curve.ts";

test.each([
  [[0.37, 0.37], true],
  [[0.37, 0.38], true],
  [[0.37, 0.4], false],
  [[0, 0], true],
  [[0, 1e-4], false],
])("%j: flat %s", (values, isFlat) => {
  expect(curveRange(values)).toEqual({ low: values[0], high: values[1], isFlat });
});
