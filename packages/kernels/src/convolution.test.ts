import {
  fromTypedArray,
  getThreads,
  gradients,
  manualSeed,
  noGrad,
  ops,
  setThreads,
  type Tensor,
} from "@armseg/torch";
import { expect, test } from "vitest";
import { bestTile, convolution3x3, depthwiseConvolution3x3, type TileSide } from "./index.ts";

interface Case {
  readonly input: readonly [n: number, channels: number, height: number, width: number];
  readonly out: number;
  readonly dilation: number;
  readonly tile: TileSide;
}

const CASES: readonly Case[] = [
  { input: [1, 16, 4, 4], out: 16, dilation: 1, tile: 4 },
  { input: [2, 32, 9, 7], out: 48, dilation: 1, tile: 4 },
  { input: [2, 16, 13, 11], out: 32, dilation: 2, tile: 4 },
  { input: [1, 32, 12, 16], out: 16, dilation: 4, tile: 2 },
  { input: [1, 16, 5, 3], out: 16, dilation: 4, tile: 4 }, // a dilation near the map's size: most sub-images are one column
  { input: [1, 272, 10, 10], out: 32, dilation: 1, tile: 4 }, // more channels than are summed in one go
  { input: [3, 16, 50, 41], out: 16, dilation: 1, tile: 4 }, // several chunks of tiles, the last of them short
  { input: [1, 48, 33, 17], out: 64, dilation: 1, tile: 2 },
];

const FORMATS = ["contiguous", "channels_last"] as const;

/** The largest difference over the largest value. */
function relativeError(actual: Tensor, expected: Tensor): number {
  return actual.to("float64").sub(expected).abs().max().div(expected.abs().max()).item();
}

function outputAndGradients(
  convolve: (x: Tensor, w: Tensor) => Tensor,
  [x, w, g]: readonly [Tensor, Tensor, Tensor],
): readonly Tensor[] {
  const [input, weight] = [x, w].map((leaf) => leaf.detach().clone().requiresGrad_()) as [Tensor, Tensor];
  const output = convolve(input, weight);
  return [output.detach(), ...(gradients([output], [input, weight], { gradOutputs: [g] }) as Tensor[])];
}

for (const memoryFormat of FORMATS) {
  test.each(CASES)(`output and both gradients against float64, ${memoryFormat}: %o`, (one) => {
    const { input: shape, out, dilation, tile } = one;
    manualSeed(1);
    const x = ops.randn([...shape]).contiguous({ memoryFormat });
    const w = ops.randn([out, shape[1], 3, 3]).contiguous({ memoryFormat });
    const g = ops.randn([shape[0], out, shape[2], shape[3]]);
    const actual = outputAndGradients((a, b) => convolution3x3(a, b, { dilation, tile }), [x, w, g]);
    const exact = outputAndGradients(
      (a, b) => ops.conv2d(a, b, null, 1, dilation, dilation),
      [x.to("float64"), w.to("float64"), g.to("float64")],
    );
    for (const [i, values] of exact.entries()) {
      expect(actual[i]!.shape).toEqual(values.shape);
      expect(relativeError(actual[i]!, values)).toBeLessThan(1e-5);
    }
  });
}

const DEPTHWISE = [
  { input: [2, 16, 5, 7], dilation: 1 },
  { input: [1, 48, 20, 70], dilation: 12 }, // longer than a segment of pixels; most taps lie outside
  { input: [3, 32, 9, 9], dilation: 4 },
] as const;

for (const memoryFormat of FORMATS) {
  test.each(DEPTHWISE)(`depthwise: output and gradients against float64, ${memoryFormat}: %o`, (one) => {
    const { input: shape, dilation } = one;
    manualSeed(1);
    const x = ops.randn([...shape]).contiguous({ memoryFormat });
    const [w, g] = [ops.randn([shape[1], 1, 3, 3]), ops.randn([...shape])];
    const actual = outputAndGradients((a, b) => depthwiseConvolution3x3(a, b, { dilation }), [x, w, g]);
    const exact = outputAndGradients(
      (a, b) => ops.conv2d(a, b, null, 1, dilation, dilation, shape[1]),
      [x.to("float64"), w.to("float64"), g.to("float64")],
    );
    for (const [i, values] of exact.entries()) {
      expect(actual[i]!.shape).toEqual(values.shape);
      expect(relativeError(actual[i]!, values)).toBeLessThan(1e-6);
    }
  });
}

test("ones under ones count the pixels that a kernel covers", () => {
  const counts = convolution3x3(ops.ones([1, 16, 5, 6]), ops.ones([16, 16, 3, 3]));
  const plane = fromTypedArray(Float32Array.from([64, 96, 96, 96, 96, 64]), [6]);
  const middle = fromTypedArray(Float32Array.from([96, 144, 144, 144, 144, 96]), [6]);
  const expected = ops.stack([plane, middle, middle, middle, plane]);
  for (const channel of [0, 7, 15]) {
    expect(counts.select(1, channel).select(0, 0).sub(expected).abs().max().item()).toBeLessThan(1e-3);
  }
});

test("the weight of a part of a larger one, as its strides are", () => {
  manualSeed(2);
  const [x, whole] = [ops.randn([1, 16, 8, 8]), ops.randn([32, 48, 3, 3])];
  const part = whole.narrow(1, 16, 16);
  const expected = ops.conv2d(x.to("float64"), part.to("float64"), null, 1, 1);
  expect(relativeError(convolution3x3(x, part), expected)).toBeLessThan(1e-5);
});

test("the same bits with one thread and with two, and at every call", () => {
  manualSeed(3);
  const inputs = [ops.randn([2, 32, 40, 40]), ops.randn([32, 32, 3, 3]), ops.randn([2, 32, 40, 40])] as const;
  const depthwise = [inputs[0], ops.randn([32, 1, 3, 3]), inputs[2]] as const;
  const run = () => [
    ...outputAndGradients((a, b) => convolution3x3(a, b), inputs),
    ...outputAndGradients((a, b) => depthwiseConvolution3x3(a, b), depthwise),
  ];
  const before = getThreads();
  try {
    setThreads(1);
    const alone = run();
    setThreads(2);
    for (const [i, values] of run().entries()) expect(values.equal(alone[i]!)).toBe(true);
  } finally {
    setThreads(before);
  }
});

test("the second derivative is libtorch's", () => {
  manualSeed(4);
  const leaves = [ops.randn([1, 16, 6, 6]), ops.randn([16, 16, 3, 3])] as const;
  const secondOf = (convolve: (x: Tensor, w: Tensor) => Tensor) => {
    const [x, w] = leaves.map((leaf) => leaf.clone().requiresGrad_()) as [Tensor, Tensor];
    const [first] = gradients([convolve(x, w).pow(2).sum()], [x], { createGraph: true }) as [Tensor];
    return gradients([first.pow(2).sum()], [w])[0] as Tensor;
  };
  const expected = secondOf((x, w) => ops.conv2d(x, w, null, 1, 1));
  expect(
    relativeError(
      secondOf((x, w) => convolution3x3(x, w)),
      expected.to("float64"),
    ),
  ).toBeLessThan(1e-5);
});

test("the output lies in memory as the input does", () => {
  const [x, w] = [ops.randn([1, 16, 4, 6]), ops.randn([16, 16, 3, 3])];
  noGrad(() => {
    for (const memoryFormat of FORMATS) {
      expect(convolution3x3(x.contiguous({ memoryFormat }), w).isContiguous(memoryFormat)).toBe(true);
    }
  });
});

test("errors name what was expected", () => {
  const [x, w] = [ops.randn([1, 16, 4, 4]), ops.randn([16, 16, 3, 3])];
  expect(() => convolution3x3(x.to("float64"), w)).toThrow(
    "expected a float32 input [N, C, H, W] on the CPU",
  );
  expect(() => convolution3x3(x, ops.randn([16, 16, 1, 1]))).toThrow(
    "expected a float32 weight [K, 16, 3, 3]",
  );
  expect(() => convolution3x3(x, ops.randn([10, 16, 3, 3]))).toThrow(
    "expected multiples of 16 channels, got 16 to 10",
  );
  expect(() => depthwiseConvolution3x3(ops.randn([1, 0, 4, 4]), ops.randn([0, 1, 3, 3]))).toThrow(
    "expected multiples of 16 channels, got 0 to 0",
  );
  expect(() => depthwiseConvolution3x3(x, w)).toThrow("expected a float32 weight [16, 1, 3, 3]");
  expect(() => convolution3x3(x, w, { dilation: 0 })).toThrow("expected a positive dilation, got 0");
  expect(() => convolution3x3(x, w, { tile: 3 as TileSide })).toThrow(
    "expected tiles of 2 or 4 pixels, got 3",
  );
});

test.each([
  [0, 16, 4, 4],
  [1, 16, 0, 4],
  [2, 16, 4, 0],
] as const)(
  "a map without pixels, [%i, %i, %i, %i], gives one without pixels, and weights get no gradient",
  (...shape) => {
    for (const convolve of [convolution3x3, depthwiseConvolution3x3]) {
      const groups = convolve === convolution3x3 ? 16 : 1;
      const inputs = [ops.randn([...shape]), ops.randn([16, groups, 3, 3]), ops.randn([...shape])] as const;
      const [output, forInput, forWeight] = outputAndGradients((x, w) => convolve(x, w), inputs);
      expect([output!.shape, forInput!.shape]).toEqual([[...shape], [...shape]]);
      expect(forWeight!.equal(ops.zeros([16, groups, 3, 3]))).toBe(true);
    }
  },
);

test("from the map's longer side on, every dilation means the same, however large", () => {
  manualSeed(5);
  const [x, g] = [ops.randn([1, 16, 5, 7]), ops.randn([1, 16, 5, 7])];
  for (const convolve of [convolution3x3, depthwiseConvolution3x3]) {
    const w = ops.randn([16, convolve === convolution3x3 ? 16 : 1, 3, 3]);
    const at = (dilation: number) => outputAndGradients((a, b) => convolve(a, b, { dilation }), [x, w, g]);
    const expected = at(7);
    const middle = ops.conv2d(x, w.narrow(2, 1, 1).narrow(3, 1, 1), null, 1, 0, 1, 16 / w.size(1));
    expect(relativeError(expected[0]!, middle.to("float64"))).toBeLessThan(1e-5);
    for (const [i, values] of at(2 ** 52).entries()) expect(values.equal(expected[i]!)).toBe(true);
  }
});

test("the tile with fewer multiplications", () => {
  expect(bestTile([64, 128], 1)).toBe(4);
  expect(bestTile([32, 64], 4)).toBe(4);
  expect(bestTile([6, 6], 1)).toBe(4); // 9 tiles of 16 points are as many as 4 of 36
  expect(bestTile([6, 2], 1)).toBe(2);
  expect(bestTile([8, 8], 4)).toBe(2);
});
