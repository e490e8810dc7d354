import { expect, test } from "vitest";
import { doubles, numbers, relativeError } from "../reweighting/testing/numbers.ts";
import type { PixelLoss } from "./pixel-losses.ts";
import { pixelLoss } from "./pixel-losses.ts";

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

test("kl needs an uncertainty head", () => {
  expect(() => pixelLoss("kl", { logLikelihood })).toThrow("expected logScale of an uncertainty head for kl, got none");
});
