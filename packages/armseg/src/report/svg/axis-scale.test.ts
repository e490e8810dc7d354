import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { extent, linearScale, logScale, niceDomain, roomyLogDomain } from "./axis-scale.ts";

const labels = (scale: { ticks: readonly { label: string }[] }) => scale.ticks.map(({ label }) => label);

describe("linear axis", () => {
  test("stands its ticks at round values", () => {
    expect(labels(linearScale([0, 1], [0, 100]))).toEqual(["0", "0.2", "0.4", "0.6", "0.8", "1"]);
    expect(labels(linearScale([-1, 1], [0, 100], 4))).toEqual(["−1", "−0.5", "0", "0.5", "1"]);
    expect(labels(linearScale([0, 40000], [0, 100], 4))).toEqual(["0", "10k", "20k", "30k", "40k"]);
  });

  test("maps the domain's ends to the range's, also where that falls", () => {
    const { position } = linearScale([2, 4], [200, 100]);
    expect([2, 3, 4].map(position)).toEqual([200, 150, 100]);
    expect(position(Number.NaN)).toBeNaN();
  });

  test("puts a constant in the middle", () => {
    expect(linearScale([7, 7], [0, 100]).position(7)).toBe(50);
    expect(linearScale([0, 0], [0, 100]).position(0)).toBe(50);
    expect(linearScale([2e-323, 2e-323], [0, 100]).position(2e-323)).toBe(50);
    expect(linearScale(niceDomain([3, 3]), [0, 100]).position(3)).toBe(50);
  });

  test("has a few ticks inside every domain", () => {
    const numbers = fc.double({ min: -1e9, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        fc.pre(Math.abs(a - b) > 1e-6 * Math.abs(a + b) && Math.abs(a - b) > 1e-9);
        const domain = [Math.min(a, b), Math.max(a, b)] as const;
        const { ticks } = linearScale(domain, [0, 100]);
        expect(ticks.length).toBeGreaterThanOrEqual(2);
        expect(ticks.length).toBeLessThanOrEqual(10);
        const slack = 1e-6 * (domain[1] - domain[0]);
        expect(ticks.every(({ value }) => value >= domain[0] - slack && value <= domain[1] + slack)).toBe(
          true,
        );
        const [low, high] = niceDomain(domain);
        expect(low <= domain[0] + slack && high >= domain[1] - slack).toBe(true);
      }),
    );
  });
});

describe("logarithmic axis", () => {
  const shown = (scale: { ticks: readonly { label: string }[] }) =>
    labels(scale).filter((text) => text !== "");

  test("labels powers of ten, with smaller multiples where these are few", () => {
    expect(shown(logScale([1e-4, 1], [0, 100]))).toEqual(["1e−4", "0.001", "0.01", "0.1", "1"]);
    expect(shown(logScale([0.2, 5], [0, 100]))).toEqual(["0.2", "0.3", "0.4", "1", "2", "3", "4"]);
    expect(shown(logScale([2, 2.5], [0, 100]))).toEqual(["2", "2.1", "2.2", "2.3", "2.4", "2.5"]);
  });

  test("maps equal factors to equal distances, and nothing at or below 0", () => {
    const { position } = logScale([1, 100], [0, 100]);
    expect([1, 10, 100].map(position).map(Math.round)).toEqual([0, 50, 100]);
    expect(position(0)).toBeNaN();
    expect(position(-1)).toBeNaN();
    expect(position(Number.NaN)).toBeNaN();
  });

  test("leaves room of four percent at both ends, and a factor of two around a constant", () => {
    const [low, high] = roomyLogDomain([1, 10_000]);
    expect(Math.log10(low)).toBeCloseTo(-0.16, 12);
    expect(Math.log10(high)).toBeCloseTo(4.16, 12);
    expect(roomyLogDomain([1, 1])).toEqual([0.5, 2]);
  });
});

test("extent looks at finite values only", () => {
  expect(extent([3, Number.NaN, -1, Number.POSITIVE_INFINITY])).toEqual([-1, 3]);
  expect(extent([Number.NaN])).toBeUndefined();
});
