import { describe, expect, test } from "vitest";
import {
  enableGrad,
  gradients,
  inferenceMode,
  isGradEnabled,
  noGrad,
  ops,
  type Tensor,
  tensor,
  tidy,
} from "../src/index.ts";
import { onTestDevice, testDevice } from "../src/testing/test-device.ts";

const EPSILON = 1e-6;

const leaf = (values: readonly number[]): Tensor =>
  tensor(values, { device: testDevice, requiresGrad: true });

/** Largest difference between the gradient of autograd and central differences, in float64. */
function gradientError(f: (x: Tensor) => Tensor, shape: readonly number[]): number {
  return tidy(() => {
    const x = onTestDevice(ops.randn(shape, { dtype: "float64" })).requiresGrad_();
    f(x).backward();
    const analytic = x.grad!.toTypedArray();
    const values = noGrad(() => x.detach().clone());
    const starts = values.toTypedArray() as Float64Array;
    let worst = 0;
    for (const [i, start] of starts.entries()) {
      const element = values.view([-1]).select(0, i);
      const at = (value: number): number => {
        element.fill_(value);
        return noGrad(() => f(values).item());
      };
      const numeric = (at(start + EPSILON) - at(start - EPSILON)) / (2 * EPSILON);
      element.fill_(start);
      worst = Math.max(worst, Math.abs(numeric - Number(analytic[i])));
    }
    return worst;
  });
}

describe("gradients equal finite differences", () => {
  const weight = (): Tensor =>
    onTestDevice(ops.linspace(-1, 1, 2 * 3 * 3 * 3, { dtype: "float64" })).reshape([2, 3, 3, 3]);
  test.each<[string, (x: Tensor) => Tensor, number[]]>([
    ["softmax and log", (x) => x.logSoftmax(1).pow(2).sum(), [2, 3, 2, 2]],
    [
      "dilated convolution",
      (x) => ops.conv2d(x, weight(), { padding: 2, dilation: 2 }).tanh().sum(),
      [1, 3, 4, 4],
    ],
    ["bilinear", (x) => x.upsampleBilinear2d([5, 7], false).pow(2).sum(), [1, 2, 3, 3]],
    [
      "batch norm",
      (x) => ops.batchNorm(x, null, null, null, null, true, 0.1, 1e-5, false).pow(3).sum(),
      [4, 2, 2, 2],
    ],
  ])("%s", (_, f, shape) => {
    expect(gradientError(f, shape)).toBeLessThan(1e-6);
  });
});

describe("backward", () => {
  test("sums into grad until it is set to null", () => {
    tidy(() => {
      const x = leaf([1, 2]);
      x.mul(3).sum().backward();
      x.mul(3).sum().backward();
      expect(x.grad?.toArray()).toEqual([6, 6]);
      x.grad = null;
      expect(x.grad).toBeNull();
    });
  });

  test("works after every intermediate tensor was freed", () => {
    tidy(() => {
      const x = leaf([1, 2]);
      const loss = tidy(() => x.exp().mul(x.sigmoid()).sum());
      loss.backward();
      expect(x.grad?.shape).toEqual([2]);
    });
  });

  test("takes a gradient for an output of several elements", () => {
    tidy(() => {
      const x = leaf([1, 2]);
      x.mul(x).backward(tensor([1, 10], { device: testDevice }));
      expect(x.grad?.toArray()).toEqual([2, 40]);
      expect(() => x.mul(x).backward()).toThrow(
        /^backward\(\): grad can be implicitly created only for scalar outputs/,
      );
    });
  });

  test("gives second derivatives with createGraph", () => {
    tidy(() => {
      const x = leaf([2]);
      const [first] = gradients([x.pow(3)], [x], { createGraph: true });
      const [second] = gradients([first!], [x]);
      expect(second?.toArray()).toEqual([12]);
    });
  });

  test("gives null for an input that does not matter, if that is allowed", () => {
    tidy(() => {
      const x = leaf([2]);
      const y = leaf([2]);
      expect(gradients([x.mul(2)], [x, y], { allowUnused: true })[1]).toBeNull();
      expect(() => gradients([x.mul(2)], [x, y])).toThrow(/^grad\(\): .*of the differentiated tensors/i);
    });
  });
});

describe("scopes", () => {
  test("noGrad records nothing and restores the mode when the body throws", () => {
    tidy(() => {
      const x = leaf([1]);
      expect(noGrad(() => x.mul(2).requiresGrad)).toBe(false);
      expect(noGrad(() => enableGrad(() => x.mul(2).requiresGrad))).toBe(true);
      expect(() =>
        noGrad(() => {
          throw new Error("inside");
        }),
      ).toThrow("inside");
      expect(isGradEnabled()).toBe(true);
    });
  });

  test("what inference mode makes cannot take part in a backward pass", () => {
    tidy(() => {
      const x = leaf([1]);
      const inferred = inferenceMode(() => x.mul(2));
      expect(inferred.requiresGrad).toBe(false);
      expect(() => x.mul(inferred)).toThrow(/Inference tensors cannot be saved for backward/);
    });
  });
});
