import { gradients, ops, type Tensor } from "@armseg/torch";
import { onTestDevice } from "@armseg/torch/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { objective, pNormalised, weightMap } from "./objective.ts";
import { doubles, numbers, numericalGradient, relativeError } from "./testing/numbers.ts";

/** dQ/dw_i = (l_i − SL·w_i^{p−1}/Sp)/S1, which {@link objective} must differentiate to. */
function closedForm(weights: Tensor, lossMap: Tensor, p: number): Tensor {
  const [w, l] = [weights.detach().to("float64"), lossMap.detach().to("float64")];
  const [s1, sp, sl] = [w.sum(), w.pow(p).sum(), w.mul(l).sum()];
  return l.sub(w.pow(p - 1).mul(sl.div(sp))).div(s1);
}

/** dQ/dw by autograd. */
function weightGradient(weights: Tensor, lossMap: Tensor, p: number): number[] {
  const w = weights.detach().requiresGrad_();
  return numbers(gradients([objective(w, lossMap, p)], [w])[0] as Tensor);
}

const weightsArbitrary = fc.array(fc.double({ min: 1e-3, max: 1, noNaN: true }), {
  minLength: 2,
  maxLength: 12,
});
const normArbitrary = fc.constantFrom(1, 1.5, 2, 3, 7);

describe("normalisation and objective (sections 3.3 and 4.2)", () => {
  test("by hand: weights 3 and 4 have the L2 norm 5, and sum to 1 after the second division", () => {
    expect(numbers(pNormalised(doubles([3, 4]), 2))).toEqual([0.6, 0.8]);
    expect(relativeError(numbers(weightMap(doubles([3, 4]), 2)), [3 / 7, 4 / 7])).toBeLessThan(1e-15);
    expect(objective(doubles([3, 4]), doubles([1, 2]), 2).item()).toBeCloseTo(11 / 7, 14);
  });

  test("weights sum to 1 and do not change with the scale of W", () => {
    fc.assert(
      fc.property(
        weightsArbitrary,
        normArbitrary,
        fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
        (w, p, scale) => {
          const plain = numbers(weightMap(doubles(w), p));
          expect(plain.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
          expect(relativeError(numbers(weightMap(doubles(w).mul(scale), p)), plain)).toBeLessThan(1e-11);
        },
      ),
    );
  });

  test("dQ/dw is (l − SL·w^(p−1)/Sp)/S1, and dQ/dl is w/S1", () => {
    fc.assert(
      fc.property(weightsArbitrary, normArbitrary, (values, p) => {
        const w = doubles(values).requiresGrad_();
        const l = onTestDevice(ops.randn([values.length], { dtype: "float64" })).requiresGrad_();
        const [byWeight, byLoss] = gradients([objective(w, l, p)], [w, l]);
        expect(relativeError(numbers(byWeight as never), numbers(closedForm(w, l, p)), 1)).toBeLessThan(
          1e-11,
        );
        expect(relativeError(numbers(byLoss as never), numbers(weightMap(w, p)))).toBeLessThan(1e-12);
      }),
    );
  });

  test("the second division is a constant: finite differences hold with it frozen", () => {
    const w = doubles([0.2, 0.9, 0.5]);
    const l = doubles([1, 3, 0.5]);
    const frozen = pNormalised(w, 2).sum().item();
    const f = () => pNormalised(w, 2).mul(l).sum().div(frozen).item();
    expect(relativeError(numericalGradient(f, w), weightGradient(w, l, 2))).toBeLessThan(1e-8);
  });

  test("the gradient vanishes at Hölder's optimum, and for p = 1 nowhere", () => {
    const l = doubles([1, 4, 9]);
    for (const p of [1.5, 2, 3]) {
      expect(
        weightGradient(l.pow(1 / (p - 1)), l, p)
          .map(Math.abs)
          .every((g) => g < 1e-14),
      ).toBe(true);
    }
    expect(weightGradient(doubles([1, 1, 1]), l, 1)).toEqual(
      [-11 / 9, -2 / 9, 13 / 9].map((g) => expect.closeTo(g, 12)),
    );
  });

  test("all weights 0: Q is 0 with zero gradient", () => {
    for (const p of [1, 1.5, 2]) {
      const w = doubles([0, 0]).requiresGrad_();
      const l = doubles([1, 2]).requiresGrad_();
      const q = objective(w, l, p);
      const found = gradients([q], [w, l]).flatMap((gradient) => numbers(gradient as never));
      expect([q.item(), ...found].map(Math.abs)).toEqual([0, 0, 0, 0, 0]);
    }
  });

  test("tiny weights do not underflow", () => {
    expect(objective(doubles([3e-30, 4e-30]).to("float32"), doubles([1, 2]), 3).item()).toBeCloseTo(
      11 / 7,
      6,
    );
  });
});
