import { describe, expect, test } from "vitest";
import {
  memory,
  type NestedNumbers,
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
import { isOnCpu, testDevice, tolerance } from "../testing/test-device.ts";
import golden from "./golden/trajectories.json" with { type: "json" };

const there = { device: testDevice };

/** CUDA sums in another order, and Adam divides by gradients that are nearly nothing. */
const ROUNDING = tolerance({ cpu: 1e-6, cuda: 1e-5 });

/** What the golden trajectories train: mean(sin(x·W + b)²) + 0.1·Σ|W|. */
class Wave extends nn.Module {
  readonly weight = parameter(tensor(golden.weight, there));
  readonly bias = parameter(tensor(golden.bias, there));

  forward(x: Tensor, bias: Tensor = this.bias): Tensor {
    const y = x.matmul(this.weight).add(bias).sin().square().mean();
    return y.add(this.weight.abs().sum().mul(0.1));
  }
}

type Optimizer = optim.SGD | optim.Adam | optim.AdamW;

function train(
  wave: Wave,
  optimizer: Optimizer,
  from: number,
  to: number,
  visit: (step: number) => void = () => {},
): void {
  for (let step = from; step < to; step++) {
    tidy(() => {
      optimizer.zeroGrad();
      const bias = step >= 2 ? wave.bias : wave.bias.detach(); // the bias joins late
      wave.forward(tensor(golden.x, there), bias).backward();
      optimizer.step();
      visit(step);
    });
  }
}

function expectTrajectory(name: keyof typeof golden.trajectories, make: (wave: Wave) => Optimizer): void {
  using wave = new Wave();
  using optimizer = make(wave);
  const points = golden.trajectories[name];
  train(wave, optimizer, 0, points.length, (step) => {
    expectClose(wave.weight, points[step]?.weight as NestedNumbers, ROUNDING);
    expectClose(wave.bias, points[step]?.bias as NestedNumbers, ROUNDING);
  });
}

describe("SGD takes PyTorch's steps", () => {
  const sgd = (options: optim.SGDOptions) => (wave: Wave) => new optim.SGD(wave, options);

  test("plain, and with momentum", () => {
    expectTrajectory("plain", sgd({ learningRate: 0.1 }));
    expectTrajectory("momentum", sgd({ learningRate: 0.1, momentum: 0.9 }));
  });

  test("with dampening, and with Nesterov's momentum", () => {
    expectTrajectory("dampening", sgd({ learningRate: 0.1, momentum: 0.9, dampening: 0.3 }));
    expectTrajectory("nesterov", sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true }));
  });

  test("with weight decay, and maximising", () => {
    const options = { learningRate: 0.1, momentum: 0.9, weightDecay: 0.05 };
    expectTrajectory("decay", sgd(options));
    expectTrajectory("maximize", sgd({ ...options, maximize: true }));
  });

  test("under a negative learning rate, where weight decay is growth", () => {
    expectTrajectory("negative", sgd({ learningRate: -0.1, momentum: 0.9 }));
    expectTrajectory("negativeDecay", sgd({ learningRate: -0.1, momentum: 0.9, weightDecay: 0.05 }));
    const length = (options: optim.SGDOptions): number => {
      using unit = parameter(tensor([1], there));
      unit.grad = tensor([0], there);
      tidy(() => new optim.SGD([["unit", unit]], options).step());
      return unit.item();
    };
    expect(length({ learningRate: -0.5, weightDecay: 0.5 })).toBe(1.25);
    expect(length({ learningRate: 0.5, weightDecay: 0.5, maximize: true })).toBe(0.75);
  });

  test("with two groups of settings of their own", () => {
    expectTrajectory("groups", (wave) => {
      const groups = [
        { parameters: [["weight", wave.weight]] as const, weightDecay: 0.1 },
        { parameters: [["bias", wave.bias]] as const, learningRate: 0.5, momentum: 0.5 },
      ];
      return new optim.SGD(groups, { learningRate: 0.1, momentum: 0.9 });
    });
  });
});

describe("Adam takes PyTorch's steps", () => {
  test("with its defaults, with weight decay, and maximising", () => {
    expectTrajectory("adam", (wave) => new optim.Adam(wave, { learningRate: 0.05 }));
    const options = { learningRate: 0.05, weightDecay: 0.2 };
    const others = { ...options, beta1: 0.8, beta2: 0.95, eps: 1e-6 };
    expectTrajectory("adamDecay", (wave) => new optim.Adam(wave, others));
    expectTrajectory("adamMaximize", (wave) => new optim.Adam(wave, { ...options, maximize: true }));
  });
});

describe("AdamW takes PyTorch's steps", () => {
  test("with its defaults, and maximising with others", () => {
    expectTrajectory("adamW", (wave) => new optim.AdamW(wave, { learningRate: 0.05 }));
    const options = {
      learningRate: 0.05,
      beta1: 0.8,
      beta2: 0.95,
      eps: 1e-6,
      weightDecay: 0.2,
      maximize: true,
    };
    expectTrajectory("adamWMaximize", (wave) => new optim.AdamW(wave, options));
  });
});

describe("an optimizer", () => {
  const optimizers: Readonly<Record<string, (wave: Wave) => Optimizer>> = {
    SGD: (wave) => new optim.SGD(wave, { learningRate: 0.1, momentum: 0.9, weightDecay: 0.01 }),
    Adam: (wave) => new optim.Adam(wave, { learningRate: 0.1, weightDecay: 0.01 }),
    AdamW: (wave) => new optim.AdamW(wave, { learningRate: 0.1 }),
  };

  test.each(Object.entries(optimizers))("%s continues from its state, bitwise on the CPU", (_, make) => {
    using whole = new Wave();
    using wholeOptimizer = make(whole);
    train(whole, wholeOptimizer, 0, 4);
    using rest = new Wave();
    using restOptimizer = make(rest);
    tidy(() => {
      rest.loadStateDict(whole.stateDict());
      const { tensors, numbers } = wholeOptimizer.stateDict();
      restOptimizer.loadStateDict({ tensors, numbers: JSON.parse(JSON.stringify(numbers)) });
    });
    train(whole, wholeOptimizer, 4, 9);
    train(rest, restOptimizer, 4, 9);
    if (isOnCpu) {
      expect(rest.weight.toTypedArray()).toEqual(whole.weight.toTypedArray());
      expect(rest.bias.toTypedArray()).toEqual(whole.bias.toTypedArray());
    }
    expectClose(rest.weight, whole.weight.toArray(), ROUNDING);
    expectClose(rest.bias, whole.bias.toArray(), ROUNDING);
  });

  test("has a flat state, keyed by the names of parameters", () => {
    using wave = new Wave();
    using sgd = new optim.SGD(wave, { learningRate: 0.25, momentum: 0.5 });
    train(wave, sgd, 0, 1);
    expect([...sgd.stateDict().tensors.keys()]).toEqual(["weight.momentum_buffer"]);
    expect(sgd.stateDict().numbers).toEqual({
      "groups.0.learningRate": 0.25,
      "groups.0.momentum": 0.5,
      "groups.0.dampening": 0,
      "groups.0.weightDecay": 0,
    });
    using adam = new optim.AdamW(wave, { learningRate: 0.25 });
    train(wave, adam, 0, 3);
    expect([...adam.stateDict().tensors.keys()].sort()).toEqual([
      "bias.exp_avg",
      "bias.exp_avg_sq",
      "weight.exp_avg",
      "weight.exp_avg_sq",
    ]);
    expect(adam.stateDict().numbers).toMatchObject({ "steps.weight": 3, "steps.bias": 1 });
  });

  test("refuses a state that is not its own, and keeps its own", () => {
    using wave = new Wave();
    using sgd = new optim.SGD(wave, { learningRate: 0.1, momentum: 0.9 });
    train(wave, sgd, 0, 3);
    const load = (key: string, value: Tensor) => () =>
      sgd.loadStateDict({ tensors: new Map([[key, value]]), numbers: {} });
    expect(load("head.momentum_buffer", tensor([1]))).toThrow(/the optimizer has no "head.momentum_buffer"/);
    expect(load("weight.exp_avg", tensor([1]))).toThrow(/the optimizer has no "weight.exp_avg"/);
    expect(load("bias.momentum_buffer", tensor([1]))).toThrow(/of shape \[4\], got \[1\]/);
    expect(sgd.stateDict().tensors.size).toBe(2);
  });

  test("takes new settings between steps, and leaves parameters without a gradient alone", () => {
    using wave = new Wave();
    using sgd = new optim.SGD(wave, { learningRate: 1 });
    for (const group of sgd.groups) group.learningRate = 0;
    train(wave, sgd, 0, 2);
    expectClose(wave.weight, golden.weight, 1e-7);
    for (const group of sgd.groups) group.learningRate = 1;
    sgd.zeroGrad();
    sgd.step();
    expectClose(wave.weight, golden.weight, 1e-7);
  });

  test("refuses settings and parameters that make no sense", () => {
    using wave = new Wave();
    using other = new Wave();
    const sgd = (options: Partial<optim.SGDOptions>) => () =>
      new optim.SGD(wave, { learningRate: 0.1, ...options });
    expect(sgd({ learningRate: Number.NaN })).toThrow(/finite learningRate, got NaN/);
    expect(sgd({ momentum: -1 })).toThrow(/at least 0, got -1 and 0/);
    expect(sgd({ nesterov: true })).toThrow(/momentum above 0 without dampening for nesterov, got 0 and 0/);
    expect(() => new optim.AdamW(wave, { learningRate: 0.1, beta1: 1 })).toThrow(
      /AdamW\(\): expected beta1 and beta2 in \[0, 1\)/,
    );
    expect(() => new optim.Adam(wave, { learningRate: 0.1, eps: -1 })).toThrow(/Adam\(\): expected eps/);
    expect(() => new optim.SGD([], { learningRate: 0.1 })).toThrow(/expected parameters, got none/);
    const both = [{ parameters: wave }, { parameters: other }];
    expect(() => new optim.SGD(both, { learningRate: 0.1 })).toThrow(/got "weight" twice/);
    const same = [{ parameters: wave }, { parameters: wave.namedParameters("again") }];
    expect(() => new optim.SGD(same, { learningRate: 0.1 })).toThrow(
      /every parameter in one group, got "again.weight" in two/,
    );
    const prefixed = [{ parameters: wave }, { parameters: other.namedParameters("other") }];
    using fine = new optim.SGD(prefixed, { learningRate: 0.1 });
    expect(fine.groups[1]?.parameters.has("other.bias")).toBe(true);
  });

  test("frees its state when it is disposed", () => {
    using wave = new Wave();
    const before = memory().tensors;
    const sgd = new optim.SGD(wave, { learningRate: 0.1, momentum: 0.9 });
    train(wave, sgd, 0, 3);
    expect(memory().tensors).toBe(before + 2);
    sgd.dispose();
    expect(memory().tensors).toBe(before);
  });
});

describe("clipGradNorm", () => {
  function parametersWithGradients(): Parameter[] {
    return golden.clipping.before.map((values) => {
      const gradient = tensor(values, there);
      const made = parameter(gradient.zerosLike());
      made.grad = gradient;
      return made;
    });
  }

  test.each([
    ["tight", 0.5],
    ["loose", 100],
  ] as const)("scales as PyTorch does: %s", (name, limit) => {
    tidy(() => {
      const parameters = parametersWithGradients();
      const expected = golden.clipping[name];
      expectClose(optim.gradNorm(parameters), expected.norm, 1e-6);
      expectClose(optim.clipGradNorm(parameters, limit), expected.norm, 1e-6);
      for (const [i, { grad }] of parameters.entries())
        expectClose(grad as Tensor, expected.after[i] as NestedNumbers, 1e-6);
      for (const made of parameters) made.dispose();
    });
  });

  test("takes parameters without gradients", () => {
    using lonely = parameter(ops.zeros([2]));
    expect(tidy(() => optim.clipGradNorm([lonely], 1).item())).toBe(0);
  });
});
