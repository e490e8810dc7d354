import { describe, expect, test } from "vitest";
import { memory, nn, ops, type Parameter, parameter, type Tensor, tensor, tidy } from "../index.ts";

class Scale extends nn.Module {
  readonly child = new nn.Identity();
  readonly runningMean = nn.buffer(ops.zeros([3]));
  readonly weight: Parameter;
  readonly bias: Parameter | null;
  readonly #cache = ops.zeros([1]);

  constructor(hasBias = true) {
    super();
    this.bias = hasBias ? parameter(ops.zeros([3])) : null;
    this.weight = parameter(ops.ones([3]));
  }

  forward(x: Tensor): Tensor {
    const scaled = x.mul(this.weight).add(this.#cache);
    return this.bias ? scaled.add(this.bias) : scaled;
  }
}

class Network extends nn.Module<[x: Tensor, factor: number], { main: Tensor; factor: number }> {
  readonly layer1 = new nn.Sequential(new nn.Conv2d(3, 4, 1), new nn.BatchNorm2d(4));
  readonly branches: nn.ModuleList<Scale> = [new Scale(), new Scale(false)];
  readonly auxHead = new Scale();
  readonly queries = [parameter(ops.zeros([2]))];

  forward(x: Tensor, factor: number): { main: Tensor; factor: number } {
    const scaled = this.branches.reduce((sum, branch) => branch.call(sum), x);
    return { main: this.auxHead.call(scaled).mul(factor), factor };
  }
}

const names = (entries: Iterable<readonly [string, unknown]>): string[] =>
  Array.from(entries, ([name]) => name);

describe("the parts of a module", () => {
  test("are found in the fields, in the order of their declaration, under PyTorch's names", () => {
    using network = new Network();
    expect(names(network.namedParameters())).toEqual([
      "queries.0",
      "layer1.0.weight",
      "layer1.0.bias",
      "layer1.1.weight",
      "layer1.1.bias",
      "branches.0.weight",
      "branches.0.bias",
      "branches.1.weight",
      "aux_head.weight",
      "aux_head.bias",
    ]);
    expect(names(network.namedBuffers("net"))).toEqual([
      "net.layer1.1.running_mean",
      "net.layer1.1.running_var",
      "net.layer1.1.num_batches_tracked",
      "net.branches.0.running_mean",
      "net.branches.1.running_mean",
      "net.aux_head.running_mean",
    ]);
    expect(names(network.namedModules())).toEqual([
      "",
      "layer1",
      "layer1.0",
      "layer1.1",
      "branches.0",
      "branches.0.child",
      "branches.1",
      "branches.1.child",
      "aux_head",
      "aux_head.child",
    ]);
  });

  test("come in a state dict module by module, parameters before buffers", () => {
    using scale = new Scale();
    using stack = new nn.Sequential(scale, new nn.BatchNorm2d(2));
    expect([...stack.stateDict().keys()]).toEqual([
      "0.weight",
      "0.bias",
      "0.running_mean",
      "1.weight",
      "1.bias",
      "1.running_mean",
      "1.running_var",
      "1.num_batches_tracked",
    ]);
    expect(stack.stateDict().get("0.weight")).toBe(scale.weight);
  });

  test("are counted once when shared, and named twice in a state dict", () => {
    using scale = new Scale();
    const twice = new nn.Sequential(scale, scale);
    expect(names(twice.namedParameters())).toEqual(["0.weight", "0.bias"]);
    expect(twice.stateDict().size).toBe(6);
  });
});

describe("a module", () => {
  test("is called with the types of its forward, and leaves nothing but its result", () => {
    using network = new Network();
    const before = memory().tensors;
    const result = network.call(tensor([1, 2, 3]), 2);
    expect(memory().tensors).toBe(before + 2); // the argument and `main`
    expect(result.main.toArray()).toEqual([2, 4, 6]);
    // @ts-expect-error: the second argument is missing
    expect(() => network.call(tensor([1, 2, 3]))).toThrow();
  });

  test("switches all that is inside it between training and evaluation", () => {
    using network = new Network();
    expect(network.isTraining).toBe(true);
    network.eval();
    expect([...network.modules()].some((module) => module.isTraining)).toBe(false);
    network.branches[0]?.train();
    expect(network.isTraining).toBe(false);
    expect(network.branches[0]?.child.isTraining).toBe(true);
  });

  test("freezes for good: train() leaves a frozen part in evaluation mode, without gradients", () => {
    using network = new Network();
    const [branch] = network.branches as [(typeof network.branches)[number]];
    branch.freeze();
    network.train();
    expect([network.isTraining, branch.isTraining, branch.child.isTraining]).toEqual([true, false, false]);
    expect([network.isFrozen, branch.isFrozen, branch.child.isFrozen]).toEqual([false, true, true]);
    expect([...branch.parameters()].some(({ requiresGrad }) => requiresGrad)).toBe(false);
    expect([...network.parameters()].some(({ requiresGrad }) => requiresGrad)).toBe(true);
  });

  test("converts its floating tensors in place, and their gradients", () => {
    using network = new Network();
    const { weight } = network.auxHead;
    tidy(() =>
      network
        .call(tensor([1, 2, 3]), 1)
        .main.sum()
        .backward(),
    );
    network.to({ dtype: "float64", memoryFormat: "channels_last" });
    expect(network.auxHead.weight).toBe(weight);
    const types = new Set(
      [...network.stateDict()].map(([name, value]) => `${name.split(".").pop()} ${value.dtype}`),
    );
    expect(types).toContain("weight float64");
    expect(types).toContain("running_mean float64");
    expect(types).toContain("num_batches_tracked int64");
    expect(weight.requiresGrad).toBe(true);
    expect(weight.grad?.dtype).toBe("float64");
    expect(weight.grad?.toArray()).toEqual([1, 2, 3]);
    using conv = new nn.Conv2d(3, 4, 3).to({ memoryFormat: "channels_last" });
    expect(conv.weight.isContiguous("channels_last")).toBe(true);
    expect(conv.weight.strides).toEqual([27, 1, 9, 3]);
  });

  test("switches the gradients of its parameters", () => {
    using scale = new Scale();
    scale.requiresGrad_(false);
    expect(scale.call(tensor([1, 2, 3])).requiresGrad).toBe(false);
    scale.requiresGrad_();
    scale
      .call(tensor([1, 2, 3]))
      .sum()
      .backward();
    expect(scale.weight.grad?.toArray()).toEqual([1, 2, 3]);
    scale.zeroGrad();
    expect(scale.weight.grad).toBeNull();
  });

  test("frees its tensors when it is disposed", () => {
    const before = memory().tensors;
    const network = tidy(() => ({ network: new Network() })).network;
    expect(memory().tensors).toBeGreaterThan(before);
    network.dispose();
    expect(memory().tensors).toBe(before);
    expect(network.auxHead.weight.isDisposed).toBe(true);
  });
});

describe("loadStateDict", () => {
  test("restores a state into the same tensors, converting dtypes", () => {
    using source = new Network();
    using target = new Network();
    const { weight } = target.auxHead;
    tidy(() => {
      for (const value of source.stateDict().values()) value.detach().fill_(3);
      source.to({ dtype: "float64" });
    });
    expect(target.loadStateDict(source.stateDict())).toEqual({ missing: [], unexpected: [] });
    expect(target.auxHead.weight).toBe(weight);
    expect(weight.dtype).toBe("float32");
    expect(weight.requiresGrad && weight.isLeaf).toBe(true);
    for (const value of target.stateDict().values())
      expect(new Set<number | bigint>(value.toTypedArray() as Iterable<number | bigint>)).toEqual(
        new Set([value.dtype === "int64" ? 3n : 3]),
      );
  });

  test("names all that does not fit, and then writes nothing", () => {
    using scale = new Scale();
    const state = new Map([
      ["weight", tensor([7, 7, 7])],
      ["bias", tensor([1, 2])],
      ["fc.weight", tensor([1])],
    ]);
    expect(() => scale.loadStateDict(state)).toThrow(
      /Missing in the state dict \(1\):\n {2}running_mean\nUnknown to the module \(1\):\n {2}fc\.weight\nOf another shape \(1\):\n {2}bias is \[3\], the state dict has \[2\]/,
    );
    expect(() => scale.loadStateDict(state, { strict: false })).toThrow(/Of another shape/);
    expect(scale.weight.toArray()).toEqual([1, 1, 1]);
    state.delete("bias");
    expect(scale.loadStateDict(state, { strict: false })).toEqual({
      missing: ["bias", "running_mean"],
      unexpected: ["fc.weight"],
    });
    expect(scale.weight.toArray()).toEqual([7, 7, 7]);
  });
});
