import { LOSS_SUMS, type LossReport, ohemThreshold, readLossReport } from "@armseg/kernels";
import type { Tensor } from "@armseg/torch";
import { getThreads, gradients, manualSeed, nn, ops, setThreads, tidy } from "@armseg/torch";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ArmCurve } from "../reweighting/arm-curve.ts";
import { type Curve, isLearnable, sampleCurve } from "../reweighting/curve.ts";
import { INDICATORS } from "../reweighting/indicators.ts";
import { LINES, LinearCurve } from "../reweighting/linear-curve.ts";
import { numbers, relativeError } from "../reweighting/testing/numbers.ts";
import { namingErrors } from "./fused.ts";
import { LabelRangeError } from "./labels.ts";
import type { LossInputs } from "./loss-terms.ts";
import { InvalidCurveError, NonFiniteLossError } from "./pixel-maps.ts";
import type { SegmentationLossCall, SegmentationLossOptions } from "./segmentation-loss.ts";
import { SegmentationLoss } from "./segmentation-loss.ts";
import { fusedDevice, onFusedDevice } from "./testing/fused-device.ts";

/** A curve of the user's, steeper than ARM starts out. */
class Steep extends nn.Module {
  readonly steepness = new nn.Linear(1, 1);
  forward(u: Tensor): Tensor {
    return this.steepness
      .call(u.mul(-3).reshape([-1, 1]))
      .reshape(u.shape)
      .exp();
  }
}

const curves: Readonly<Record<string, () => Curve | null>> = {
  none: () => null,
  suppress: () => new LinearCurve(),
  focus: () => new LinearCurve(LINES.focus),
  arm: () => trained(new ArmCurve()),
  user: () => new Steep().to({ device: fusedDevice }),
};

/** An ARM that is no longer flat, as after some training: at first its weights differ by a few per cent only. */
function trained(curve: ArmCurve): ArmCurve {
  for (const parameter of curve.parameters()) parameter.detach().mul_(2.5);
  return curve.to({ device: fusedDevice });
}

/** Loss, mean, and the gradients of logits, logScale and each parameter of the curve. */
function evaluate(
  options: SegmentationLossOptions,
  inputs: LossInputs,
  call: SegmentationLossCall,
): number[][] {
  const { logits, logScale } = inputs;
  const leaves = [logits, ...(logScale ? [logScale] : []), ...(options.curve?.parameters() ?? [])];
  const result = new SegmentationLoss(options).call(inputs, { ...call, statistics: false });
  const found = gradients([result.loss], leaves, { allowUnused: true });
  const zero = (i: number) => (leaves[i] as Tensor).zerosLike();
  return [
    [result.loss.item()],
    [result.meanLoss.item()],
    ...found.map((gradient, i) => numbers(gradient ?? zero(i))),
  ];
}

/** The same, with everything in float64. */
function judge(options: SegmentationLossOptions, inputs: LossInputs, call: SegmentationLossCall): number[][] {
  options.curve?.to({ dtype: "float64" });
  const logits = inputs.logits.detach().to("float64").requiresGrad_();
  const logScale = inputs.logScale?.detach().to("float64").requiresGrad_() ?? null;
  const expected = evaluate(
    { ...options, implementation: "composed" },
    { ...inputs, logits, logScale },
    call,
  );
  options.curve?.to({ dtype: "float32" });
  return expected;
}

interface Sizes {
  readonly classes: number;
  readonly low: readonly [number, number];
  readonly high: readonly [number, number];
  readonly ignored: number;
  readonly seed: number;
}

const sizes: fc.Arbitrary<Sizes> = fc.record({
  classes: fc.constantFrom(2, 3, 5, 19, 33),
  low: fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })),
  high: fc.tuple(fc.integer({ min: 1, max: 29 }), fc.integer({ min: 1, max: 29 })),
  ignored: fc.constantFrom(0, 0.3, 0.95),
  seed: fc.nat(1e6),
});

function batch({ classes, low, high, ignored, seed }: Sizes, spread = 3) {
  manualSeed(seed);
  const logits = onFusedDevice(ops.randn([2, classes, ...low]).mul(spread)).requiresGrad_();
  const logScale = onFusedDevice(ops.randn([2, 1, ...low]).mul(0.5)).requiresGrad_();
  const random = ops.randint(0, classes, [2, ...high], { dtype: "int64" });
  const labels = onFusedDevice(random.maskedFill(ops.rand([2, ...high]).lt(ignored), 255).to("uint8"));
  return { logits, logScale, labels };
}

/**
 * Agreement to 1e-4 of the largest element, beyond the rounding of float32.
 *
 * The curve's gradient is a sum of terms of the size of Q·∂ln W/∂θ that cancel: to nothing at all where every weight is the
 * same, and for whatever scales the curve as a whole, since Q does not change then. What float32 leaves there is not compared.
 */
function expectAgreement(
  options: SegmentationLossOptions,
  inputs: LossInputs,
  call: SegmentationLossCall = {},
): void {
  const expected = judge(options, inputs, call);
  const actual = evaluate({ ...options, implementation: "fused" }, inputs, call);
  const rounding = 4e-7 * Math.max(1, Math.abs(expected[0]?.[0] as number));
  const first = FIRST_OF_CURVE - (inputs.logScale ? 0 : 1);
  const slopes = options.curve && isLearnable(options.curve) ? logSlopes(options.curve) : [];
  for (const [i, values] of expected.entries()) {
    const floor = i < first ? 0 : rounding * Math.max(1, slopes[i - first] as number);
    const difference = relativeError(actual[i] as number[], values) * largest(values);
    expect(difference, `result ${i}`).toBeLessThanOrEqual(1e-4 * largest(values) + floor);
  }
}

/** Returns the largest |∂ln W/∂θ| on [-1, 1] of each parameter of a curve. */
function logSlopes(curve: Curve): number[] {
  const parameters = [...curve.parameters()];
  if (parameters.length === 0) return []; // libtorch 2.x refuses the gradient of what depends on nothing
  const logWeights = sampleCurve(curve, { intervals: 32 }).log().unbind(0);
  const slopes = logWeights.map((logWeight) =>
    gradients([logWeight], parameters, { allowUnused: true, retainGraph: true }).map((gradient) =>
      gradient ? largest(numbers(gradient)) : 0,
    ),
  );
  return parameters.map((_, i) => Math.max(...slopes.map((each) => each[i] as number)));
}

/** Loss, mean, gradients of logits and logScale come first. */
const FIRST_OF_CURVE = 4;

function largest(values: readonly number[]): number {
  return Math.max(1e-300, ...values.map(Math.abs));
}

describe("fused against composed in float64, to 1e-4 in the loss and in every gradient", () => {
  const combinations = INDICATORS.flatMap((indicator) =>
    (["ce", "gce", "focal", "kl"] as const).map((pixelLoss) => ({ indicator, pixelLoss })),
  );

  test.each(combinations)("$indicator, $pixelLoss", ({ indicator, pixelLoss }) => {
    const choices = fc.record({
      sizes,
      p: fc.constantFrom(1, 2, 3, 1.5),
      curve: fc.constantFrom(...Object.keys(curves)),
      phase: fc.constantFrom("joint" as const, "isolated" as const),
      normalise: fc.constantFrom("valid" as const, "all" as const),
    });
    fc.assert(
      fc.property(choices, ({ sizes, p, curve, phase, normalise }) => {
        tidy(() => {
          const inputs = batch(sizes);
          using made = (curves[curve] as () => Curve | null)();
          expectAgreement({ indicator, pixelLoss, p, normalise, curve: made }, inputs, { phase });
        });
      }),
      { numRuns: 15 },
    );
  });

  test.each(INDICATORS)(
    "%s, every gradient of a trained ARM without any allowance for rounding",
    (indicator) => {
      tidy(() => {
        const inputs = batch({ classes: 5, low: [9, 11], high: [37, 35], ignored: 0.3, seed: 3 });
        using curve = trained(new ArmCurve());
        const expected = judge({ indicator, curve }, inputs, {});
        const actual = evaluate({ indicator, curve, implementation: "fused" }, inputs, {});
        const errors = expected.map((values, i) => relativeError(actual[i] as number[], values));
        expect(Math.max(...errors), `errors ${errors.join(", ")}`).toBeLessThan(1e-4);
      });
    },
  );

  test("with class weights and a weight map", () => {
    fc.assert(
      fc.property(sizes, (sizes) => {
        tidy(() => {
          const inputs = batch(sizes);
          const classWeights = onFusedDevice(ops.rand([sizes.classes])).add(0.2);
          const pixelWeights = onFusedDevice(ops.rand(inputs.labels.shape));
          using curve = trained(new ArmCurve());
          expectAgreement({ classWeights, curve }, { ...inputs, pixelWeights });
        });
      }),
      { numRuns: 15 },
    );
  });

  test.each(INDICATORS)("%s, with an offset of the logits that the confidence does not see", (indicator) => {
    fc.assert(
      fc.property(sizes, fc.constantFrom("joint" as const, "isolated" as const), (sizes, phase) => {
        tidy(() => {
          const inputs = batch(sizes);
          const logitOffset = onFusedDevice(ops.rand([sizes.classes]).mul(0.95).add(0.05).log());
          using curve = trained(new ArmCurve());
          expectAgreement({ indicator, curve }, { ...inputs, logitOffset }, { phase });
          expectAgreement({ indicator, pixelLoss: "gce" }, { ...inputs, logitOffset }, { phase });
        });
      }),
      { numRuns: 10 },
    );
  });

  const ohems = fc.record({
    threshold: fc.constantFrom(0.3, 0.7, 0.9),
    minKept: fc.constant(1),
    semantics: fc.constantFrom("openseg" as const, "mmseg" as const),
  });

  /** Leaves out batches where the pixel at the threshold decides: which side it is on, float32 rounding says. */
  function assumeThresholdHolds({ threshold }: { threshold: number }, { logits, labels }: LossInputs): void {
    fc.pre(ohemThreshold(logits, labels, { threshold, minKept: 2 }).item() === Math.fround(threshold));
  }

  test("with OHEM by its threshold", () => {
    fc.assert(
      fc.property(sizes, ohems, (sizes, ohem) => {
        tidy(() => {
          const inputs = batch(sizes);
          assumeThresholdHolds(ohem, inputs);
          expectAgreement({ ohem }, inputs);
          using curve = trained(new ArmCurve());
          expectAgreement({ ohem, curve }, inputs);
        });
      }),
      { numRuns: 20 },
    );
  });

  test.each(["openseg", "mmseg"] as const)(
    "with OHEM by minKept, %s, but for the pixel at the threshold",
    (semantics) => {
      const { logits, labels } = batch({ classes: 19, low: [9, 11], high: [37, 35], ignored: 0.3, seed: 3 });
      const ohem = { threshold: 0.001, minKept: 400, semantics };
      const [fused, composed] = (["fused", "composed"] as const).map((implementation) => {
        const { loss, report } = new SegmentationLoss({ ohem, implementation }).call({ logits, labels });
        return { loss: loss.item(), kept: readLossReport(report!).keptPixels };
      }) as [{ loss: number; kept: number }, { loss: number; kept: number }];
      expect(composed.kept).toBe(semantics === "mmseg" ? 800 : 400);
      expect(Math.abs(fused.kept - composed.kept)).toBeLessThanOrEqual(1);
      expect(fused.loss).toBeCloseTo(composed.loss, 1);
    },
  );

  test("statistics and bins", () => {
    fc.assert(
      fc.property(
        sizes,
        ohems,
        fc.constantFrom(...Object.keys(curves)),
        fc.constantFrom(1, 2, 3),
        (sizes, ohem, name, p) => {
          tidy(() => {
            const inputs = batch(sizes);
            assumeThresholdHolds(ohem, inputs);
            using curve = (curves[name] as () => Curve | null)();
            const [fused, composed] = (["fused", "composed"] as const)
              .map((implementation) => new SegmentationLoss({ curve, p, ohem, implementation }).call(inputs))
              .map(({ report }) => report!) as [LossReport, LossReport];
            for (const name of LOSS_SUMS) {
              const error = relativeError([fused[name].item()], [composed[name].item()], 1);
              expect(error, name).toBeLessThan(1e-4);
            }
            expect(fused.bins?.sums.shape).toEqual(composed.bins?.sums.shape);
            if (!fused.bins || !composed.bins) return;
            const [found, expected] = [fused.bins, composed.bins].map(({ sums }) => numbers(sums.sum([1])));
            expect(relativeError(found as number[], expected as number[], 1)).toBeLessThan(1e-4);
          });
        },
      ),
      { numRuns: 20 },
    );
  });

  test.each(["bfloat16", "float16"] as const)("%s logits, and their layout in memory", (dtype) => {
    tidy(() => {
      const { logits, labels } = batch({ classes: 19, low: [7, 9], high: [27, 35], ignored: 0.3, seed: 1 });
      const half = logits.detach().to(dtype);
      using curve = trained(new ArmCurve());
      const expected = judge({ curve }, { logits: half, labels }, {});
      for (const memoryFormat of ["contiguous", "channels_last"] as const) {
        const leaf = half.contiguous({ memoryFormat }).requiresGrad_();
        const [loss, , byLogits] = evaluate({ curve, implementation: "fused" }, { logits: leaf, labels }, {});
        expect(relativeError(loss as number[], expected[0] as number[])).toBeLessThan(1e-4);
        // The gradient is stored in the logits' own dtype: 8 or 11 bits.
        expect(relativeError(byLogits as number[], expected[2] as number[])).toBeLessThan(
          dtype === "float16" ? 1e-3 : 4e-3,
        );
      }
    });
  });
});

describe("fused", () => {
  test("is what auto chooses on the CPU, and composed where it does not apply", () => {
    tidy(() => {
      const { logits, labels } = batch({ classes: 3, low: [2, 2], high: [4, 4], ignored: 0, seed: 0 });
      const choose = (options: SegmentationLossOptions, z = logits) =>
        new SegmentationLoss(options).call({ logits: z, labels }).implementation;
      expect(choose({})).toBe("fused");
      expect(choose({ detach: false })).toBe("composed");
      expect(choose({ ohem: { threshold: null, semantics: "mmseg" } })).toBe("composed");
      expect(choose({}, logits.to("float64"))).toBe("composed");
    });
  });

  test.skipIf(fusedDevice !== "cpu")("is bitwise the same at any number of threads", () => {
    tidy(() => {
      const inputs = batch({ classes: 19, low: [33, 41], high: [131, 163], ignored: 0.3, seed: 5 });
      using curve = trained(new ArmCurve());
      const threads = getThreads();
      const results = [1, 2, 3].map((count) => {
        setThreads(count);
        return evaluate({ curve, implementation: "fused" }, inputs, {});
      });
      setThreads(threads);
      expect(results[1]).toEqual(results[0]);
      expect(results[2]).toEqual(results[0]);
    });
  });

  test("no valid pixel, and all weights 0: 0 with zero gradient, counted", () => {
    tidy(() => {
      const { logits, labels } = batch({ classes: 3, low: [2, 2], high: [4, 4], ignored: 0, seed: 0 });
      class Zero extends nn.Module {
        forward(u: Tensor): Tensor {
          return u.mul(0);
        }
      }
      const empty = labels.fullLike(255);
      using arm = new ArmCurve().to({ device: fusedDevice });
      for (const [curve, y] of [
        [arm, empty],
        [null, empty],
        [new Zero(), labels],
      ] as const) {
        const { loss, report } = new SegmentationLoss({ curve, implementation: "fused" }).call({
          logits,
          labels: y,
        });
        const gradient = numbers(gradients([loss], [logits])[0] as Tensor);
        expect([loss.item(), ...gradient].every((value) => value === 0)).toBe(true);
        expect(readLossReport(report!).isEmpty).toBe(true);
      }
    });
  });

  test("labels and logits that mean nothing are errors, as in composed", () => {
    tidy(() => {
      const { logits, labels } = batch({ classes: 3, low: [2, 2], high: [4, 4], ignored: 0, seed: 0 });
      const criterion = new SegmentationLoss({ implementation: "fused" });
      expect(() => criterion.call({ logits, labels: labels.fullLike(34) })).toThrow(LabelRangeError);
      expect(() => criterion.call({ logits, labels: labels.fullLike(34) })).toThrow(
        "label 34 at image 0, row 0",
      );
      expect(() => criterion.call({ logits: logits.detach().mul(Number.NaN), labels })).toThrow(
        NonFiniteLossError,
      );
    });
  });
});

test("a predicted uncertainty beyond float32 is an infinite loss, not a wrong one", () => {
  const call = (logScale: number, implementation: "fused" | "composed") =>
    tidy(() => {
      const logits = ops.zeros([1, 3, 2, 16]).requiresGrad_();
      const labels = ops.zeros([1, 2, 16], { dtype: "uint8" });
      const criterion = new SegmentationLoss({ implementation, pixelLoss: "kl", indicator: "var" });
      const { loss } = criterion.call({
        logits,
        labels,
        logScale: ops.full([1, 1, 2, 16], logScale, { dtype: "float32" }),
      });
      return loss.item();
    });
  for (const logScale of [-60, -87, -88.5]) {
    expect(call(logScale, "fused") / call(logScale, "composed")).toBeCloseTo(1, 4);
  }
  for (const logScale of [-89, -90, -130, -200, -1e6]) {
    expect(() => call(logScale, "fused"), String(logScale)).toThrow(NonFiniteLossError);
    expect(() => call(logScale, "composed"), String(logScale)).toThrow(NonFiniteLossError);
  }
});

describe("the kernel's errors", () => {
  const failing = (message: string) => () =>
    namingErrors(() => {
      throw new Error(message);
    });

  test("get the classes of the composed loss", () => {
    expect(failing("armseg::x(): label 9 at image 0")).toThrow(LabelRangeError);
    expect(failing("armseg::x(): label 9 at image 0 (in an earlier call on this device)")).toThrow(
      LabelRangeError,
    );
    expect(failing("armseg::x(): the loss is not finite at image 0")).toThrow(NonFiniteLossError);
    expect(failing("armseg::x: armseg::x(): the curve must be finite and not negative, got nan")).toThrow(
      new InvalidCurveError("armseg::x(): the curve must be finite and not negative, got nan"),
    );
    expect(failing("out of memory")).toThrow("out of memory");
  });

  test("do not fail a call for a loss that was not finite in an earlier one", () => {
    const late =
      "armseg::x(): the loss is not finite at image 0 (in an earlier call on this device, which returned NaN)";
    const problems = [late];
    const call = () => {
      const problem = problems.pop();
      if (problem) throw new Error(problem);
      return "sound";
    };
    expect(namingErrors(call)).toBe("sound");
  });
});
