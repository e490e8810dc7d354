import { gradients, ops, tensor } from "@armseg/torch";
import { onTestDevice, testDevice } from "@armseg/torch/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Indicator } from "./indicators.ts";
import { confidence, INDICATORS, normalisedVariance } from "./indicators.ts";
import { doubles, numbers, numericalGradient, relativeError } from "./testing/numbers.ts";

/** One pixel of the given likelihoods, as ln p `[1, C, 1, 1]`. */
function pixel(likelihoods: readonly number[]) {
  return doubles(likelihoods.map((p) => [[Math.log(p)]])).unsqueeze(0);
}

function confidenceOf(indicator: Indicator, likelihoods: readonly number[]): number {
  return confidence(indicator, { logLikelihoods: pixel(likelihoods) }).item();
}

describe("confidence indicators (section 3.2, Table 2)", () => {
  test("by hand, for likelihoods 1/2, 1/4, 1/4", () => {
    // v = (1/3)(1/36 + 1/144 + 1/144) = 1/72; t = v·9/2 = 1/16
    const p = [0.5, 0.25, 0.25];
    expect(confidenceOf("var", p)).toBeCloseTo(-7 / 8, 14);
    expect(confidenceOf("std", p)).toBeCloseTo(-1 / 2, 14);
    expect(confidenceOf("logVar", p)).toBeCloseTo(1 + (2 * Math.log(1 / 16)) / Math.log(1e4), 14);
    expect(confidenceOf("entropy", p)).toBeCloseTo(1 - (2 * 1.5 * Math.log(2)) / Math.log(3), 14);
  });

  test("kl is (1 − s)/(1 + s) of the predicted uncertainty", () => {
    const logScale = doubles([[[Math.log(3), 0, -800, 800]]]).squeeze(0);
    const u = confidence("kl", { logLikelihoods: pixel([0.5, 0.5]), logScale });
    expect(relativeError(numbers(u), [-0.5, 0, 1, -1])).toBeLessThan(1e-14);
  });

  test("equals the closed form 2(CΣp² − 1)/(C − 1) − 1 and the paper's 2C²/(C−1)·v − 1", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -9, max: 9, noNaN: true }), { minLength: 2, maxLength: 30 }),
        (z) => {
          const total = z.reduce((sum, x) => sum + Math.exp(x), 0);
          const p = z.map((x) => Math.exp(x) / total);
          const C = p.length;
          const v = p.reduce((sum, x) => sum + (x - 1 / C) ** 2, 0) / C;
          const closed = (2 * (C * p.reduce((sum, x) => sum + x * x, 0) - 1)) / (C - 1) - 1;
          expect(confidenceOf("var", p)).toBeCloseTo(closed, 10);
          expect(confidenceOf("var", p)).toBeCloseTo(((2 * C * C) / (C - 1)) * v - 1, 10);
        },
      ),
    );
  });

  test.each(INDICATORS)("%s stays in [-1, 1], for saturated and uniform logits too", (indicator) => {
    const z = tensor(
      [
        [1e4, 0, 0],
        [-1e4, 0, 0],
        [0, 0, 0],
        [3, 2, 1],
        [1e-4, 0, 0],
      ],
      { device: testDevice },
    );
    const logLikelihoods = z.logSoftmax(1).t().reshape([1, 3, 1, 5]);
    const logScale = tensor([[[1e4, -1e4, 0, 1, -1]]], { device: testDevice });
    const u = numbers(confidence(indicator, { logLikelihoods, logScale }));
    for (const value of u) expect(value >= -1 && value <= 1, `${u}`).toBe(true);
    if (indicator !== "kl") {
      expect(u[0]).toBeCloseTo(1, 6);
      expect(u[2]).toBeCloseTo(-1, 6);
    }
  });

  test("a nearly uniform pixel keeps its digits in float32", () => {
    const z = tensor([[1e-3, 0, -1e-3, 0]], { device: testDevice }).reshape([1, 4, 1, 1]);
    const narrow = normalisedVariance(z.logSoftmax(1)).item();
    const exact = normalisedVariance(z.to("float64").logSoftmax(1)).item();
    expect(Math.abs(narrow / exact - 1)).toBeLessThan(1e-3); // 2(CΣp² − 1) would have no digit left
  });

  test.each(INDICATORS)("%s without detaching has the gradient of finite differences", (indicator) => {
    const z = onTestDevice(ops.randn([1, 4, 2, 3], { dtype: "float64" })).requiresGrad_();
    const logScale = onTestDevice(ops.randn([1, 2, 3], { dtype: "float64" })).requiresGrad_();
    const leaf = indicator === "kl" ? logScale : z;
    const f = () =>
      confidence(indicator, { logLikelihoods: z.logSoftmax(1), logScale }, { detach: false })
        .pow(3)
        .sum();
    const [gradient] = gradients([f()], [leaf]);
    const expected = numericalGradient(() => f().item(), leaf);
    expect(relativeError(numbers(gradient as never), expected)).toBeLessThan(1e-6);
  });

  test.each(INDICATORS)("%s has a finite gradient at a uniform pixel", (indicator) => {
    const z = ops.zeros([1, 4, 1, 1], { device: testDevice }).requiresGrad_();
    const logScale = ops.zeros([1, 1, 1], { device: testDevice }).requiresGrad_();
    const u = confidence(indicator, { logLikelihoods: z.logSoftmax(1), logScale }, { detach: false });
    const [gradient] = gradients([u.sum()], [indicator === "kl" ? logScale : z]);
    expect(numbers(gradient as never).every(Number.isFinite)).toBe(true);
  });

  test("is cut off from the network unless asked (Table 1)", () => {
    const z = onTestDevice(ops.randn([1, 4, 2, 2])).requiresGrad_();
    const logLikelihoods = z.logSoftmax(1);
    expect(confidence("var", { logLikelihoods }).requiresGrad).toBe(false);
    expect(confidence("var", { logLikelihoods }, { detach: false }).requiresGrad).toBe(true);
  });

  test("refuses one class, and kl without an uncertainty head", () => {
    expect(() => confidenceOf("var", [1])).toThrow("confidence(): expected at least 2 classes, got 1");
    expect(() => confidenceOf("kl", [0.5, 0.5])).toThrow(
      "expected logScale of an uncertainty head for indicator kl, got none",
    );
  });
});
