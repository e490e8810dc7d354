import { gradients, manualSeed, nn, ops, type Tensor, tensor } from "@armseg/torch";
import { onTestDevice, testDevice } from "@armseg/torch/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { ArmCurve } from "./arm-curve.ts";
import { interpolateKnots, isLearnable, sampleCurve } from "./curve.ts";
import { LINES, LinearCurve } from "./linear-curve.ts";
import { doubles, numbers, numericalGradient, relativeError } from "./testing/numbers.ts";

beforeEach(() => manualSeed(0));

describe("ArmCurve (sections 3.5 and 4.2)", () => {
  test("has the paper's 53 parameters, under names of convolutions", () => {
    using curve = new ArmCurve();
    const state = [...curve.stateDict()].map(([name, value]) => [name, value.shape.join("x")]);
    expect(state).toEqual([
      ["conv1.weight", "4x1x1x1"],
      ["conv1.bias", "4"],
      ["conv2.weight", "4x4x1x1"],
      ["conv2.bias", "4"],
      ["conv3.weight", "4x4x1x1"],
      ["conv3.bias", "4"],
      ["conv4.weight", "1x4x1x1"],
      ["conv4.bias", "1"],
    ]);
    expect([...curve.parameters()].reduce((sum, parameter) => sum + parameter.numel, 0)).toBe(53);
  });

  test("maps any shape element by element to (0, 1)", () => {
    using curve = new ArmCurve().to({ device: testDevice });
    const grid = onTestDevice(ops.linspace(-1, 1, 12));
    const weights = curve.call(grid);
    expect(relativeError(numbers(curve.call(grid.reshape([2, 3, 2]))), numbers(weights))).toBeLessThan(1e-6);
    expect(numbers(weights).every((w) => w > 0 && w < 1)).toBe(true);
  });

  test("is learnable, a line is not", () => {
    using curve = new ArmCurve();
    expect([isLearnable(curve), isLearnable(new LinearCurve()), isLearnable(null)]).toEqual([
      true,
      false,
      false,
    ]);
    expect(isLearnable(curve.requiresGrad_(false))).toBe(false);
  });
});

describe("LinearCurve (section 4.3)", () => {
  test("suppresses confident pixels by default, and can focus on them", () => {
    const u = tensor([-1, 0, 1], { device: testDevice });
    expect(numbers(new LinearCurve().call(u))).toEqual([1, 0.5, 0]);
    expect(numbers(new LinearCurve(LINES.focus).call(u))).toEqual([0, 0.5, 1]);
  });

  test("refuses a line that turns negative", () => {
    expect(() => new LinearCurve({ slope: -1, intercept: 0.5 })).toThrow(
      "not negative on [-1, 1], got -1·u + 0.5",
    );
  });
});

describe("knots", () => {
  test("reproduce a line everywhere, its ends included", () => {
    const u = doubles([-1, -0.9999, 0.1234, 0.5, 1]);
    const knots = sampleCurve(new LinearCurve(), { intervals: 8, like: u });
    expect(knots.numel).toBe(9);
    expect(relativeError(numbers(interpolateKnots(knots, u)), numbers(u.mul(-0.5).add(0.5)))).toBeLessThan(
      1e-15,
    );
  });

  test("1024 intervals are within 1e-6 of the curve", () => {
    using curve = new ArmCurve().to({ dtype: "float64", device: testDevice });
    const u = onTestDevice(ops.rand([500], { dtype: "float64" }))
      .mul(2)
      .sub(1);
    const knots = sampleCurve(curve, { like: u });
    expect(relativeError(numbers(interpolateKnots(knots, u)), numbers(curve.call(u)))).toBeLessThan(1e-6);
  });

  test("have the adjoint of the interpolation as gradient, and pass one to the confidence", () => {
    const knots = onTestDevice(ops.rand([7], { dtype: "float64" })).requiresGrad_();
    const u = doubles([-1, -0.71, 0.2, 0.4, 0.9]).requiresGrad_();
    const f = () => interpolateKnots(knots, u).pow(2).sum();
    const [byKnots, byConfidence] = gradients([f()], [knots, u]);
    expect(
      relativeError(
        numbers(byKnots as Tensor),
        numericalGradient(() => f().item(), knots),
      ),
    ).toBeLessThan(1e-8);
    expect(numbers(byConfidence as Tensor).slice(1)).toEqual(
      numericalGradient(() => f().item(), u)
        .slice(1)
        .map((g) => expect.closeTo(g, 7)),
    );
  });

  test("refuse a curve that changes the shape", () => {
    class Mean extends nn.Module {
      forward(u: Tensor): Tensor {
        return u.mean();
      }
    }
    expect(() => sampleCurve(new Mean(), { intervals: 4 })).toThrow(
      "expected a curve that maps element by element, [5] to [5], got []",
    );
  });
});
