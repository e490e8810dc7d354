import { expect, test } from "vitest";
import { formatNumber, formatPercent } from "./format-number.ts";

test.each([
  [0, "0"],
  [0.123456, "0.123"],
  [-0.5, "−0.5"],
  [1234, "1234"],
  [12345, "12.3k"],
  [999_999, "1000k"],
  [22_500_000, "22.5M"],
  [0.00002, "2e−5"],
  [1.5e16, "1.5e16"],
  [Number.NaN, "–"],
  [Number.NEGATIVE_INFINITY, "−∞"],
])("%d is written %s", (value, text) => {
  expect(formatNumber(value)).toBe(text);
});

test("fractions are written in percent", () => {
  expect([0.5071, 1, -0.0849, Number.NaN].map(formatPercent)).toEqual(["50.7", "100.0", "−8.5", "–"]);
});
