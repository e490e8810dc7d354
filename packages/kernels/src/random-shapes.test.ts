import { ops, type Tensor, tidy } from "@armseg/torch";
import fc from "fast-check";
import { expect, test } from "vitest";
import { confidenceMap, confusion, ohemThreshold, pixelMaps, predict, reweightedLoss } from "./index.ts";

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
