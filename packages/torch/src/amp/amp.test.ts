import { describe, expect, test } from "vitest";
import {
  amp,
  memory,
  nn,
  ops,
  optim,
  type Parameter,
  parameter,
  type Tensor,
  tensor,
  tidy,
} from "../index.ts";
import { expectClose } from "../testing/close.ts";
import { isOnCpu, onTestDevice, testDevice } from "../testing/test-device.ts";

describe("autocast", () => {
  const half = isOnCpu ? "bfloat16" : "float16";

  test("computes products in half precision and keeps gradients in float32", () => {
    using linear = new nn.Linear(8, 4).to({ device: testDevice });
    tidy(() => {
      const x = onTestDevice(ops.randn([3, 8]));
      const exact = linear.call(x);
      const y = amp.autocast(testDevice, {}, () => linear.call(x));
      expect(y.dtype).toBe(half);
      expectClose(y, exact.toArray(), 0.03);
      y.to("float32").sum().backward();
      expect(linear.weight.grad?.dtype).toBe("float32");
      expect(linear.call(x).dtype).toBe("float32");
    });
  });

  test("nests, and is switched off inside by enabled: false", () => {
    using linear = new nn.Linear(2, 2).to({ device: testDevice });
    tidy(() => {
      const x = ops.ones([1, 2], { device: testDevice });
      const types = amp.autocast(testDevice, { cacheEnabled: false }, () => {
        const inner = amp.autocast(testDevice, { enabled: false }, () => linear.call(x));
        return [inner, linear.call(x)];
      });
      expect(types.map((y) => y.dtype)).toEqual(["float32", half]);
    });
  });

  test("ends when the body throws, refuses a promise, and frees what it made", () => {
    using linear = new nn.Linear(2, 2).to({ device: testDevice });
    const before = memory().tensors;
    expect(() =>
      amp.autocast(testDevice, {}, () => {
        linear.call(ops.ones([1, 2], { device: testDevice }));
        throw new Error("inside");
      }),
    ).toThrow("inside");
    expect(() => amp.autocast(testDevice, {}, async () => 1)).toThrow(/expected a synchronous function/);
    expect(memory().tensors).toBe(before);
    expect(tidy(() => linear.call(ops.ones([1, 2], { device: testDevice })).dtype)).toBe("float32");
  });
});

describe("GradScaler", () => {
  /** A parameter at 1 and its optimizer, of step size 1. */
  function single(): { unit: Parameter; sgd: optim.SGD } {
    const unit = parameter(tensor([1], { device: testDevice }));
    return { unit, sgd: new optim.SGD([["unit", unit]], { learningRate: 1 }) };
  }

  function stepWith(scaler: amp.GradScaler, sgd: optim.SGD, loss: () => Tensor): boolean {
    return tidy(() => {
      sgd.zeroGrad();
      scaler.scale(loss()).backward();
      const hasStepped = scaler.step(sgd);
      scaler.update();
      return hasStepped;
    });
  }

  test("steps by the gradient of the loss itself", () => {
    const { unit, sgd } = single();
    const scaler = new amp.GradScaler({ initialScale: 1024 });
    expect(stepWith(scaler, sgd, () => unit.mul(0.25).sum())).toBe(true);
    expect(unit.item()).toBe(0.75);
    expect(unit.grad?.toArray()).toEqual([0.25]);
    unit.dispose();
  });

  test("skips a step whose gradient is not finite, backs off, and counts it", () => {
    const { unit, sgd } = single();
    const scaler = new amp.GradScaler({ initialScale: 1024 });
    for (const bad of [Number.POSITIVE_INFINITY, Number.NaN]) {
      expect(stepWith(scaler, sgd, () => unit.mul(bad).sum())).toBe(false);
    }
    expect(unit.item()).toBe(1);
    expect(scaler.currentScale).toBe(256);
    expect(scaler.skippedSteps).toBe(2);
    unit.dispose();
  });

  test("grows after enough good steps in a row, but never to infinity", () => {
    const { unit, sgd } = single();
    const scaler = new amp.GradScaler({ initialScale: 4, growthInterval: 3 });
    const good = (): boolean => stepWith(scaler, sgd, () => unit.mul(0).sum());
    good();
    good();
    stepWith(scaler, sgd, () => unit.mul(Number.NaN).sum());
    expect(scaler.currentScale).toBe(2);
    for (let i = 0; i < 3; i++) good();
    expect(scaler.currentScale).toBe(4);
    scaler.loadStateDict({ scale: 2 ** 127, growthTracker: 2, skippedSteps: 1 });
    good();
    expect(scaler.stateDict()).toEqual({ scale: 2 ** 127, growthTracker: 0, skippedSteps: 1 });
    unit.dispose();
  });

  test("lets gradients be clipped between unscale_ and step", () => {
    const { unit, sgd } = single();
    const scaler = new amp.GradScaler({ initialScale: 1024 });
    tidy(() => {
      scaler.scale(unit.mul(8).sum()).backward();
      scaler.unscale_(sgd);
      expect(optim.clipGradNorm([unit], 0.5).item()).toBe(8);
      scaler.step(sgd);
      scaler.update();
    });
    expect(unit.item()).toBeCloseTo(0.5, 6);
    unit.dispose();
  });

  test("judges each optimizer by its own gradients, and the scale by all", () => {
    const [first, second] = [single(), single()];
    const scaler = new amp.GradScaler({ initialScale: 8 });
    tidy(() => {
      const loss = first.unit.mul(0.5).add(second.unit.mul(Number.POSITIVE_INFINITY)).sum();
      scaler.scale(loss).backward();
      expect([scaler.step(first.sgd), scaler.step(second.sgd)]).toEqual([true, false]);
      scaler.update();
    });
    expect([first.unit.item(), second.unit.item()]).toEqual([0.5, 1]);
    expect(scaler.currentScale).toBe(4);
    first.unit.dispose();
    second.unit.dispose();
  });

  test("refuses calls out of order", () => {
    const { unit, sgd } = single();
    const scaler = new amp.GradScaler();
    expect(() => scaler.update()).toThrow(/no optimizer stepped/);
    tidy(() => {
      unit.mul(1).sum().backward();
      scaler.unscale_(sgd);
      expect(() => scaler.unscale_(sgd)).toThrow(/divided already/);
      scaler.step(sgd);
      expect(() => scaler.step(sgd)).toThrow(/stepped already/);
    });
    expect(() => scaler.loadStateDict({ scale: 0, growthTracker: 0, skippedSteps: 0 })).toThrow(
      /positive scale, got 0/,
    );
    expect(() => new amp.GradScaler({ growthFactor: 1 })).toThrow(/growthFactor above 1/);
    unit.dispose();
  });

  test("passes through when disabled", () => {
    const { unit, sgd } = single();
    const scaler = new amp.GradScaler({ enabled: false });
    expect(scaler.currentScale).toBe(1);
    expect(stepWith(scaler, sgd, () => unit.mul(0.25).sum())).toBe(true);
    expect(unit.item()).toBe(0.75);
    unit.dispose();
  });
});
