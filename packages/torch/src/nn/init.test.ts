import { describe, expect, test } from "vitest";
import { manualSeed, nn, ops, type Tensor, tidy } from "../index.ts";
import { expectClose, float32 } from "../testing/close.ts";
import golden from "./golden/modules.json" with { type: "json" };

const { init } = nn;

function filled(fill: (tensor: Tensor) => Tensor): Tensor {
  manualSeed(11);
  return fill(ops.empty([3, 2, 3, 2]));
}

// On the CPU, whose random numbers the golden file holds: a module is made there and then moved.
describe("initialisation", () => {
  test("draws the very numbers that PyTorch draws from the same seed", () => {
    const { fills } = golden;
    tidy(() => {
      expect(filled((t) => init.kaimingUniform_(t, { slope: 0.3 })).toTypedArray()).toEqual(
        float32(fills.kaimingUniform),
      );
      expect(filled((t) => init.xavierUniform_(t)).toTypedArray()).toEqual(float32(fills.xavierUniform));
      expect(filled((t) => init.uniform_(t, -2, 3)).toTypedArray()).toEqual(float32(fills.uniform));
      // The last bit of a normal number depends on the processor's vector instructions.
      expectClose(
        filled((t) => init.kaimingNormal_(t)),
        fills.kaimingNormal,
        1e-6,
      );
      const fanOut = { mode: "fanOut", nonlinearity: "relu" } as const;
      expectClose(
        filled((t) => init.kaimingNormal_(t, fanOut)),
        fills.kaimingNormalFanOut,
        1e-6,
      );
      expectClose(
        filled((t) => init.xavierNormal_(t, 1.5)),
        fills.xavierNormal,
        1e-6,
      );
      expectClose(
        filled((t) => init.normal_(t, 0.5, 0.01)),
        fills.normal,
        1e-6,
      );
    });
  });

  test("of convolutions and linear layers starts them bitwise as PyTorch does", () => {
    manualSeed(7);
    using conv = new nn.Conv2d(4, 6, [3, 2], { groups: 2 });
    expect(conv.weight.toTypedArray()).toEqual(float32(golden.cases.conv.state.weight));
    expect(conv.bias?.toTypedArray()).toEqual(float32(golden.cases.conv.state.bias));
    manualSeed(7);
    using linear = new nn.Linear(4, 3);
    expect(linear.weight.toTypedArray()).toEqual(float32(golden.cases.linear.state.weight));
    expect(linear.bias?.toTypedArray()).toEqual(float32(golden.cases.linear.state.bias));
    manualSeed(7);
    using stack = new nn.Sequential(new nn.Conv2d(4, 3, 3, { bias: false }), new nn.Conv2d(3, 2, 1));
    expect(stack.stateDict().get("1.bias")?.toTypedArray()).toEqual(
      float32(golden.cases.sequential.state["3.bias"]),
    );
  });

  test("has PyTorch's gains", () => {
    const { gains } = golden;
    expect(init.gainOf("linear")).toBe(gains.linear);
    expect(init.gainOf("conv2d")).toBe(gains.conv2d);
    expect(init.gainOf("sigmoid")).toBe(gains.sigmoid);
    expect(init.gainOf("tanh")).toBeCloseTo(gains.tanh, 15);
    expect(init.gainOf("relu")).toBeCloseTo(gains.relu, 15);
    expect(init.gainOf("leakyRelu")).toBeCloseTo(gains.leaky_relu, 15);
    expect(init.gainOf("selu")).toBe(gains.selu);
  });

  test("has the mean and the deviation of its distribution", () => {
    tidy(() => {
      manualSeed(0);
      const weight = init.kaimingNormal_(ops.empty([512, 256, 3, 3]), {
        mode: "fanOut",
        nonlinearity: "relu",
      });
      const deviation = Math.sqrt(2 / (512 * 9));
      expect(Math.abs(weight.mean().item())).toBeLessThan(deviation * 4e-3);
      expect(weight.std().item() / deviation).toBeCloseTo(1, 2);
      const flat = init.xavierUniform_(ops.empty([300, 500]));
      const bound = Math.sqrt(6 / 800);
      expect(flat.abs().max().item()).toBeLessThanOrEqual(bound);
      expect(flat.std().item() / (bound / Math.sqrt(3))).toBeCloseTo(1, 2);
    });
  });

  test("of a parameter keeps it a leaf that requires gradients", () => {
    using conv = new nn.Conv2d(2, 2, 1);
    expect(init.constant_(init.normal_(conv.weight), 0.5)).toBe(conv.weight);
    expect(conv.weight.requiresGrad && conv.weight.isLeaf).toBe(true);
    expect(conv.weight.toArray()).toEqual([
      [[[0.5]], [[0.5]]],
      [[[0.5]], [[0.5]]],
    ]);
    expect(() => init.kaimingNormal_(conv.bias as Tensor)).toThrow(
      /expected a weight \[out, in, \.\.\.kernel\], got \[2\]/,
    );
  });
});
