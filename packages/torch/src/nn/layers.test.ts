import { describe, expect, test } from "vitest";
import {
  manualSeed,
  memory,
  type NestedNumbers,
  nn,
  noGrad,
  ops,
  type Tensor,
  tensor,
  tidy,
} from "../index.ts";
import { expectClose } from "../testing/close.ts";
import { onTestDevice, testDevice, tolerance } from "../testing/test-device.ts";
import golden from "./golden/modules.json" with { type: "json" };

interface Case {
  readonly output: NestedNumbers;
  readonly inputGradient: NestedNumbers;
  readonly gradients: Readonly<Record<string, NestedNumbers>>;
  readonly state: Readonly<Record<string, NestedNumbers>>;
}

/** Makes the module from the golden seed and holds output, gradients and state to PyTorch's. */
function expectGolden(
  expected: Case,
  make: () => nn.Module,
  values: NestedNumbers = golden.x,
  calls = 1,
): void {
  manualSeed(7);
  using module = make().to({ device: testDevice });
  tidy(() => {
    const x = tensor(values, { device: testDevice, requiresGrad: true });
    let output = module.call(x);
    for (let i = 1; i < calls; i++) output = module.call(x);
    const ramp = onTestDevice(ops.linspace(-1, 1, output.numel)).reshape(output.shape);
    output.mul(ramp).sum().backward();
    expectClose(output, expected.output);
    expectClose(x.grad as Tensor, expected.inputGradient);
    for (const [name, parameter] of module.namedParameters()) {
      expectClose(parameter.grad as Tensor, expected.gradients[name] as NestedNumbers);
    }
    expect([...module.stateDict().keys()]).toEqual(Object.keys(expected.state));
    for (const [name, value] of module.stateDict()) expectClose(value, expected.state[name] as NestedNumbers);
  });
}

describe("equal PyTorch's in output, gradients and state:", () => {
  const { cases } = golden;

  test("Conv2d", () => {
    const options = { stride: [2, 1], padding: [2, 1], dilation: [2, 1], groups: 2 } as const;
    expectGolden(cases.conv, () => new nn.Conv2d(4, 6, [3, 2], options));
    expect(() => new nn.Conv2d(4, 6, 3, { groups: 4 })).toThrow(
      /Conv2d\(\): expected channels that groups divides/,
    );
  });

  test("Linear", () => expectGolden(cases.linear, () => new nn.Linear(4, 3), golden.flat));

  test("Sequential of convolution, normalisation and ReLU", () =>
    expectGolden(
      cases.sequential,
      () =>
        new nn.Sequential(
          new nn.Conv2d(4, 3, 3, { bias: false }),
          new nn.BatchNorm2d(3),
          new nn.ReLU({ inPlace: true }),
          new nn.Conv2d(3, 2, 1),
        ),
    ));

  test("BatchNorm2d with momentum", () =>
    expectGolden(cases.batchNorm, () => new nn.BatchNorm2d(4), golden.x, 2));

  test("BatchNorm2d with the mean of all batches", () =>
    expectGolden(
      cases.batchNormCumulative,
      () => new nn.BatchNorm2d(4, { momentum: null, eps: 1e-3 }),
      golden.x,
      3,
    ));

  test("SiLU and Sigmoid", () => {
    expectGolden(cases.silu, () => new nn.SiLU());
    expectGolden(cases.sigmoid, () => new nn.Sigmoid());
  });

  test("MaxPool2d", () => {
    expectGolden(cases.maxPool, () => new nn.MaxPool2d(3, { stride: 2, padding: 1 }));
    expectGolden(cases.maxPoolCeil, () => new nn.MaxPool2d(2, { ceilMode: true }));
  });

  test("AvgPool2d and AdaptiveAvgPool2d", () => {
    expectGolden(cases.avgPool, () => new nn.AvgPool2d(3, { stride: 2, padding: 1 }));
    const exclusive = { padding: 1, ceilMode: true, countIncludePad: false };
    expectGolden(cases.avgPoolExclusive, () => new nn.AvgPool2d(2, exclusive));
    expectGolden(cases.adaptiveAvgPool, () => new nn.AdaptiveAvgPool2d([4, 3]));
  });

  test("Upsample", () => {
    expectGolden(cases.bilinear, () => new nn.Upsample({ size: [9, 11] }));
    expectGolden(cases.bilinearCorners, () => new nn.Upsample({ size: [9, 11], alignCorners: true }));
    expectGolden(cases.bilinearFactor, () => new nn.Upsample({ scaleFactor: 1.7 }));
    expectGolden(cases.nearest, () => new nn.Upsample({ size: [9, 11], mode: "nearest" }));
    expectGolden(cases.nearestFactor, () => new nn.Upsample({ scaleFactor: [2, 0.5], mode: "nearest" }));
  });

  test("Dropout2d and Dropout, which drop the same values from the same seed", () => {
    tidy(() => {
      manualSeed(3); // on the CPU: another device draws other numbers
      const x = tensor(golden.x);
      expectClose(new nn.Dropout2d(0.4).call(x), golden.dropped);
      expectClose(new nn.Dropout(0.4).call(x), golden.droppedSingly);
      expectClose(new nn.Dropout(0.4).eval().call(x), golden.x, 1e-6);
    });
    expect(() => new nn.Dropout2d(1.5)).toThrow(/expected a probability in \[0, 1\], got 1.5/);
  });
});

describe("BatchNorm2d", () => {
  test("normalises by the running statistics in evaluation, and leaves them alone", () => {
    using norm = new nn.BatchNorm2d(4).eval().to({ device: testDevice });
    tidy(() => {
      const x = tensor(golden.x, { device: testDevice });
      expectClose(norm.call(x), golden.x, 1e-4);
      expect(norm.numBatchesTracked?.item()).toBe(0);
      expect(norm.runningMean?.toArray()).toEqual([0, 0, 0, 0]);
    });
  });

  test("refuses one value per channel in training, and takes it in evaluation", () => {
    using norm = new nn.BatchNorm2d(2);
    expect(() => tidy(() => norm.call(ops.zeros([1, 2, 1, 1])))).toThrow(
      /BatchNorm2d\(\): expected \[N, C, H, W\] with more than one value per channel in training, got \[1, 2, 1, 1\]/,
    );
    expect(() => tidy(() => norm.call(ops.zeros([4, 2])))).toThrow(/got \[4, 2\]/);
    norm.eval();
    expect(tidy(() => norm.call(ops.ones([1, 2, 1, 1])).shape)).toEqual([1, 2, 1, 1]);
  });

  test("may have neither running statistics nor a scale", () => {
    using norm = new nn.BatchNorm2d(4, { affine: false, trackRunningStats: false }).eval();
    expect(norm.stateDict().size).toBe(0);
    const x = tensor(golden.x, { device: testDevice });
    const rounding = tolerance({ cpu: 1e-6, cuda: 1e-5 }); // CUDA sums in another order
    tidy(() => expectClose(norm.call(x).mean([0, 2, 3]), [0, 0, 0, 0], rounding));
  });
});

describe("Sequential", () => {
  test("frees what its layers pass on as soon as the next has taken it", () => {
    let most = 0;
    class Probe extends nn.Module {
      forward(x: Tensor): Tensor {
        most = Math.max(most, memory().tensors);
        return x.add(1);
      }
    }
    const stack = new nn.Sequential(...Array.from({ length: 20 }, () => new Probe()), new nn.Identity());
    tidy(() => {
      const x = tensor([1]);
      const before = memory().tensors;
      expect(noGrad(() => stack.call(x)).item()).toBe(21);
      expect(most).toBe(before + 1);
      expect(x.item()).toBe(1);
    });
  });
});

describe("gradients equal finite differences in float64:", () => {
  const modules: Readonly<Record<string, () => nn.Module>> = {
    Conv2d: () => new nn.Conv2d(2, 3, 3, { padding: 2, dilation: 2 }),
    BatchNorm2d: () => new nn.BatchNorm2d(2),
    Linear: () => new nn.Linear(4, 2),
    SiLU: () => new nn.SiLU(),
    Upsample: () => new nn.Upsample({ size: [5, 7] }),
    AdaptiveAvgPool2d: () => new nn.AdaptiveAvgPool2d(3),
  };

  /** Weighted sum of the outputs, so that no gradient vanishes. */
  function weighted(module: nn.Module, x: Tensor): Tensor {
    const y = module.call(x);
    const ramp = onTestDevice(ops.linspace(-1, 2, y.numel, { dtype: "float64" }));
    return y.mul(ramp.reshape(y.shape)).sum();
  }

  function worstError(module: nn.Module, x: Tensor, checked: Tensor): number {
    const values = checked.detach().view([-1]);
    const at = (i: number, value: number): number => {
      values.select(0, i).fill_(value);
      return noGrad(() => weighted(module, x).item());
    };
    const analytic = (checked.grad as Tensor).toTypedArray();
    const errors = Array.from(values.toTypedArray() as Float64Array, (start, i) => {
      const numeric = (at(i, start + 1e-6) - at(i, start - 1e-6)) / 2e-6;
      values.select(0, i).fill_(start);
      return Math.abs(numeric - Number(analytic[i]));
    });
    return Math.max(...errors);
  }

  test.each(Object.entries(modules))("%s", (_, make) => {
    manualSeed(1);
    using module = make().to({ dtype: "float64", device: testDevice });
    tidy(() => {
      const x = onTestDevice(ops.randn([2, 2, 3, 4], { dtype: "float64" })).requiresGrad_();
      weighted(module, x).backward();
      for (const checked of [x, ...module.parameters()])
        expect(worstError(module, x, checked)).toBeLessThan(1e-6);
    });
  });
});
