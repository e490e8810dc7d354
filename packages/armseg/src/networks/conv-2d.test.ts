import { gradients, manualSeed, noGrad, ops, type Tensor } from "@armseg/torch";
import { expect, test } from "vitest";
import { Conv2d, DepthwiseConv2d, kernelShapeName, kernelShapesOf, segmenter } from "./index.ts";

const CONFIG = {
  backbone: "resnet18",
  classes: 3,
  headChannels: 32,
  auxiliaryChannels: 16,
  dropout: 0,
} as const;
const CROP = [64, 96] as const;

function namesOf(): string[] {
  return kernelShapesOf(CONFIG, CROP).map(kernelShapeName);
}

test("the shapes of a network's 3×3 convolutions, strides and single channels aside", () => {
  expect(namesOf().sort()).toEqual(
    [
      ...[
        "32-32-d1",
        "32-64-d1",
        "64-64-d1",
        "128-128-d1",
        "128-256-d1",
        "256-256-d1",
        "256-256-d2",
        "256-512-d2",
        "512-512-d1",
      ],
      ...["128-32-d1", "256-16-d1", "depthwise-512-d12", "depthwise-512-d24", "depthwise-512-d36"],
      ...["512-512-d4", "depthwise-32-d1", "depthwise-80-d1"],
    ].sort(),
  );
});

test("a network whose convolutions the kernels compute gives libtorch's outputs and gradients", () => {
  const run = (kernelShapes: ReadonlySet<string>) => {
    manualSeed(5);
    using network = segmenter({ ...CONFIG, kernelShapes });
    const { logits, auxiliary } = network.call(ops.randn([2, 3, ...CROP]));
    const parameters = [...network.parameters()];
    const slopes = [logits, auxiliary as Tensor];
    return [
      ...slopes,
      ...gradients(
        slopes.map((one) => one.square().sum()),
        parameters,
      ),
    ] as Tensor[];
  };
  const [expected, actual] = [run(new Set()), run(new Set(namesOf()))];
  for (const [i, values] of expected.entries()) {
    const size = values.abs().max().item();
    expect(actual[i]!.sub(values).abs().max().item()).toBeLessThanOrEqual(1e-4 * size + 1e-6);
  }
  expect(actual.some((values, i) => !values.equal(expected[i]!))).toBe(true); // else no kernel was used
});

test("what has no kernel is libtorch's: strides, groups, other paddings and sizes, a bias, odd channels", () => {
  const map = [1, 32, 8, 8] as const;
  const shapeOf = (...parameters: ConstructorParameters<typeof Conv2d>) => {
    using convolution = new Conv2d(...parameters);
    return convolution.kernelShape(map);
  };
  const good = { padding: 1, bias: false } as const;
  expect(shapeOf(32, 16, 3, good)).toEqual({
    inChannels: 32,
    outChannels: 16,
    dilation: 1,
    isDepthwise: false,
    size: [8, 8],
  });
  expect(shapeOf(32, 16, 3, { ...good, stride: 2 })).toBeNull();
  expect(shapeOf(32, 16, 3, { ...good, groups: 2 })).toBeNull();
  expect(shapeOf(32, 16, 3, { ...good, padding: 2 })).toBeNull();
  expect(shapeOf(32, 16, 3, { ...good, dilation: 2 })).toBeNull();
  expect(shapeOf(32, 16, 1, { ...good, padding: 0 })).toBeNull();
  expect(shapeOf(32, 16, 3, { padding: 1 })).toBeNull();
  expect(shapeOf(32, 20, 3, good)).toBeNull();
});

test("other dtypes are libtorch's, whatever the kernels could do", () => {
  using convolution = new DepthwiseConv2d(16, 16, 3, { padding: 2, dilation: 2, groups: 16, bias: false });
  convolution.kernelShapes = new Set(["depthwise-16-d2"]);
  const x = ops.randn([1, 16, 6, 6]);
  const float32 = noGrad(() => convolution.call(x));
  convolution.to({ dtype: "float64" });
  const float64 = noGrad(() => convolution.call(x.to("float64")));
  expect(float32.to("float64").sub(float64).abs().max().item()).toBeLessThan(1e-5);
});
