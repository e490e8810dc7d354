import { getThreads, gradients, ops, setThreads, type Tensor, tidy } from "@armseg/torch";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  confidenceMap,
  confusion,
  convolution3x3,
  depthwiseConvolution3x3,
  ohemThreshold,
  pixelMaps,
  predict,
  reweightedLoss,
} from "./index.ts";

/** More where the sanitizers look on: `npm run test:sanitize`. */
const CASES = Number(process.env.ARMSEG_RANDOM_CASES ?? 60);

const shape = fc.record({
  images: fc.constantFrom(0, 1, 1, 2),
  classes: fc.oneof(fc.integer({ min: 2, max: 21 }), fc.constantFrom(1, 2, 255, 256, 257)),
  low: fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })),
  high: fc.oneof(
    fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 })),
    fc.constantFrom<[number, number]>([1, 1], [0, 3], [1, 999], [777, 1]),
  ),
  dtype: fc.constantFrom("float32", "bfloat16", "float16", "float64"),
  labels: fc.constantFrom("random", "void", "outOfRange"),
  poison: fc.constantFrom(null, null, null, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
  isStrided: fc.boolean(),
  scale: fc.constantFrom(0, 1, 30, 1e4),
  indicator: fc.constantFrom("var", "std", "logVar", "entropy", "kl"),
  pixelLoss: fc.constantFrom("ce", "gce", "focal", "kl"),
  logScale: fc.constantFrom(null, -200, -1, 0, 90),
  p: fc.constantFrom(1, 2, 3.5),
  knots: fc.constantFrom(0, 2, 65, 1025),
});
type Shape = typeof shape extends fc.Arbitrary<infer T> ? T : never;

/** The same values with other strides. */
function strided(tensor: Tensor): Tensor {
  return ops.cat([tensor, tensor], -1).narrow(-1, 0, tensor.size(-1));
}

function inputsOf({ images, classes, low, high, dtype, labels, poison, isStrided, scale }: Shape) {
  const logits = ops.randn([images, classes, ...low]).mul(scale);
  if (poison !== null && images > 0) logits.select(0, 0).select(0, 0).select(0, 0).fill_(poison);
  const upTo = labels === "outOfRange" ? 256 : Math.min(classes, 255);
  const given =
    labels === "void"
      ? ops.full([images, ...high], 255, { dtype: "int64" })
      : ops.randint(0, upTo, [images, ...high], { dtype: "int64" });
  const [z, y] = [logits.to(dtype), given.to("uint8")];
  return { logits: isStrided ? strided(z) : z, labels: isStrided ? strided(y) : y };
}

/** The calls that a program could make, each of them right or refused. */
function calls(of: Shape): (() => Iterable<Tensor>)[] {
  const { images, low, high, indicator, pixelLoss, p, knots: count } = of;
  const { logits, labels } = inputsOf(of);
  const logScale =
    of.logScale === null ? null : ops.full([images, 1, ...low], of.logScale, { dtype: "float32" });
  const knots = count === 0 ? null : ops.rand([count]);
  const inputs = { logits, labels, logScale, knots };
  return [
    () => {
      const z = logits.detach().requiresGrad_();
      const { objective } = reweightedLoss({ ...inputs, logits: z }, { indicator, pixelLoss, p });
      objective.backward();
      return [objective, z.grad as Tensor];
    },
    () => Object.values(pixelMaps(inputs, { indicator, pixelLoss })),
    () => [confidenceMap(logits, high, { indicator, logScale })],
    () => [confusion(logits, labels).to("float64")],
    () => [predict(logits, high).to("float32")],
    () => [ohemThreshold(logits, labels, { threshold: 0.7, minKept: 10 })],
  ];
}

test("any shapes and values: a kernel returns finite numbers, or an error that names it", () => {
  fc.assert(
    fc.property(shape, (of) =>
      tidy(() => {
        for (const [i, call] of calls(of).entries()) {
          try {
            for (const result of call()) {
              // float16 has no room for the gradients of a loss beyond its range.
              if (of.dtype !== "float16") expect(result.isfinite().all().item(), `call ${i}`).toBe(1);
            }
          } catch (error) {
            expect(error).toBeInstanceOf(Error);
            expect((error as Error).message, `call ${i}`).toContain("armseg::");
          }
        }
      }),
    ),
    { numRuns: CASES, seed: 1 },
  );
});

const side = fc.constantFrom(0, 1, 1, 2, 3, 5, 8, 9, 13, 31, 40);
const convolution = fc.record({
  images: fc.constantFrom(0, 1, 1, 2, 3),
  channels: fc.constantFrom(0, 16, 16, 32, 48, 272, 15),
  out: fc.constantFrom(0, 16, 16, 48),
  size: fc.oneof(fc.tuple(side, side), fc.constantFrom<[number, number]>([1, 999], [777, 1], [64, 130])),
  dilation: fc.constantFrom(1, 1, 2, 3, 12, 1000, 2 ** 52),
  tile: fc.constantFrom<2 | 4>(2, 4),
  isDepthwise: fc.boolean(),
  layout: fc.constantFrom("contiguous", "channels_last", "strided", "transposed", "expanded"),
  threads: fc.constantFrom(1, 2, 5),
});
type Convolution = typeof convolution extends fc.Arbitrary<infer T> ? T : never;

function mapOf({ images, channels, size: [height, width], layout }: Convolution): Tensor {
  const map = ops.randn([images, channels, height, width]);
  if (layout === "channels_last") return map.contiguous({ memoryFormat: "channels_last" });
  if (layout === "strided") return strided(map);
  if (layout === "transposed") return ops.randn([images, channels, width, height]).transpose(2, 3);
  if (layout === "expanded")
    return ops.randn([1, 1, height, width]).expand([images, channels, height, width]);
  return map;
}

test("any shapes: a convolution has libtorch's values and gradients, or an error that names it", () => {
  const before = getThreads();
  try {
    fc.assert(
      fc.property(convolution, (of) => tidy(() => compareConvolution(of))),
      { numRuns: CASES, seed: 1 },
    );
  } finally {
    setThreads(before);
  }
});

function compareConvolution(of: Convolution): void {
  const { channels, out, size, dilation, tile, isDepthwise, threads } = of;
  setThreads(threads);
  const x = mapOf(of).detach().requiresGrad_();
  const w = ops.randn(isDepthwise ? [channels, 1, 3, 3] : [out, channels, 3, 3]).requiresGrad_();
  let output: Tensor;
  try {
    output = isDepthwise
      ? depthwiseConvolution3x3(x, w, { dilation })
      : convolution3x3(x, w, { dilation, tile });
  } catch (error) {
    expect((error as Error).message).toContain("armseg::");
    return;
  }
  const g = ops.randn([...output.shape]);
  const actual = [output, ...gradients([output], [x, w], { gradOutputs: [g] })] as Tensor[];
  if (output.numel === 0) {
    expect(actual[2]!.abs().sum().item()).toBe(0);
    return;
  }
  const [exactX, exactW] = [x, w].map((leaf) => leaf.detach().to("float64").requiresGrad_()) as [
    Tensor,
    Tensor,
  ];
  const reach = Math.min(dilation, Math.max(...size));
  const exact = ops.conv2d(exactX, exactW, null, 1, reach, reach, isDepthwise ? channels : 1);
  const expected = [
    exact,
    ...gradients([exact], [exactX, exactW], { gradOutputs: [g.to("float64")] }),
  ] as Tensor[];
  for (const [i, values] of expected.entries()) {
    const difference = actual[i]!.to("float64").sub(values).abs().max().item();
    expect(difference, `of ${i}`).toBeLessThanOrEqual(3e-5 * values.abs().max().item());
  }
}
