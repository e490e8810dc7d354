import { gradients, type Tensor } from "@armseg/torch";
import { describe, expect, test } from "vitest";
import { doubles, numbers, relativeError } from "../reweighting/testing/numbers.ts";
import type { PixelLoss } from "./pixel-losses.ts";
import { pixelLoss, uncertaintyLoss } from "./pixel-losses.ts";

const logLikelihood = doubles([Math.log(0.25), 0, -2e4]);
const logScale = doubles([Math.log(2), 0, 5]);

const byHand: [PixelLoss, number[]][] = [
  ["ce", [Math.log(4), 0, 2e4]],
  ["gce", [10 * (1 - 0.25 ** 0.1), 0, 10]],
  ["focal", [0.5625 * Math.log(4), 0, 2e4]],
  ["kl", [Math.log(4) / 2 + Math.log(2) / 2, 0, 2e4 / Math.exp(5) + 2.5]],
];

test.each(byHand)("%s of likelihoods 1/4, 1 and e^-20000", (kind, expected) => {
  const actual = numbers(pixelLoss(kind, { logLikelihood, logScale }));
  for (const [i, value] of actual.entries())
    expect(relativeError([value], [expected[i] as number], 1e-9)).toBeLessThan(1e-14);
});

test("gce is CE for a small q, and 1 − p for q = 1; focal with γ = 0 is CE", () => {
  const likely = doubles([Math.log(0.25)]);
  expect(pixelLoss("gce", { logLikelihood: likely }, { q: 1 }).item()).toBeCloseTo(0.75, 14);
  expect(pixelLoss("gce", { logLikelihood: likely }, { q: 1e-6 }).item()).toBeCloseTo(Math.log(4), 5);
  expect(pixelLoss("focal", { logLikelihood: likely }, { gamma: 0 }).item()).toBeCloseTo(Math.log(4), 14);
});

describe("the uncertainty that the KL loss learns (section 3.1): ŝ = 2·CE = −2 ln p_y (Eq. 2)", () => {
  const likelihoods = [0.999, 0.9, 0.5, 0.25, 0.01, 1e-6];
  const likely = doubles(likelihoods.map(Math.log));
  const optimum = likelihoods.map((p) => Math.log(-2 * Math.log(p)));

  /** dl/d(ln s) by autograd. */
  function slopeOf(values: number[]): number[] {
    const logScale = doubles(values).requiresGrad_();
    return numbers(gradients([uncertaintyLoss(likely, logScale).sum()], [logScale])[0] as Tensor);
  }

  test("is where the slope in s is 0 and changes its sign", () => {
    const slopeAt = (shift: number): number[] => slopeOf(optimum.map((value) => value + shift));
    for (const slope of slopeAt(0)) expect(slope).toBeCloseTo(0, 14);
    // dl/d(ln s) = ½ − CE/s = ½·(1 − e^−shift) at s = ŝ·e^shift.
    for (const slope of slopeAt(-0.1)) expect(slope).toBeCloseTo(0.5 * (1 - Math.exp(0.1)), 12);
    for (const slope of slopeAt(0.1)) expect(slope).toBeCloseTo(0.5 * (1 - Math.exp(-0.1)), 12);
  });

  test("is where gradient descent on ln s ends, whatever the likelihood", () => {
    let logScale = likelihoods.map(() => 0);
    for (let step = 0; step < 200; step++) {
      const slopes = slopeOf(logScale);
      logScale = logScale.map((value, i) => value - (slopes[i] as number));
    }
    for (const [i, value] of logScale.entries()) expect(value).toBeCloseTo(optimum[i] as number, 10);
  });

  test("leaves ½ + ½ ln(2·CE) of the loss, whose order is that of the cross entropy", () => {
    const least = numbers(uncertaintyLoss(likely, doubles(optimum)));
    for (const [i, value] of least.entries())
      expect(value).toBeCloseTo(0.5 + 0.5 * (optimum[i] as number), 12);
    expect(least.toSorted((a, b) => a - b)).toEqual(least);
  });
});

test("kl needs an uncertainty head", () => {
  expect(() => pixelLoss("kl", { logLikelihood })).toThrow(
    "expected logScale of an uncertainty head for kl, got none",
  );
});
