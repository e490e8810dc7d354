import { type LossReport, readLossReport } from "@armseg/kernels";
import type { Tensor } from "@armseg/torch";
import { fromTypedArray, gradients, manualSeed, ops, tidy } from "@armseg/torch";
import { isOnCpu, onTestDevice, testDevice } from "@armseg/torch/testing";
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { ArmCurve } from "../reweighting/arm-curve.ts";
import { INDICATORS } from "../reweighting/indicators.ts";
import { numbers, numericalGradient, relativeError } from "../reweighting/testing/numbers.ts";
import { composedLoss } from "./composed.ts";
import { SegmentationLoss } from "./segmentation-loss.ts";
import { golden, goldenCurve, goldenInputs } from "./testing/golden.ts";

beforeEach(() => manualSeed(0));

describe("composed loss against its transcription into PyTorch", () => {
  test.each(golden.cases)("$indicator, $loss, $curve, p = $p, weighted: $weighted", (expected) => {
    tidy(() => {
      const { logits, logScale, labels, probe, classWeights, pixelWeights } = goldenInputs();
      using curve = goldenCurve(expected.curve);
      const criterion = new SegmentationLoss({
        pixelLoss: expected.loss,
        indicator: expected.indicator,
        curve,
        p: expected.p,
        classWeights: expected.weighted ? classWeights : null,
        implementation: "composed",
      });
      const result = criterion.call({
        logits,
        labels,
        logScale,
        pixelWeights: expected.weighted ? pixelWeights : null,
      });
      const parameters = [...curve.parameters()];
      const [byLogits, byLogScale, ...byCurve] = gradients([result.loss], [logits, logScale, ...parameters], {
        allowUnused: true,
      });
      const actual = [result.objective, result.meanLoss, (byLogits as Tensor).mul(probe).sum()].map((t) =>
        t.item(),
      );
      actual.push(readLossReport(result.report!).meanConfidence);
      const { q, mean, logitsGradient, meanConfidence } = expected;
      for (const [i, value] of [q, mean, logitsGradient, meanConfidence].entries()) {
        expect(relativeError([actual[i] as number], [value])).toBeLessThan(1e-9);
      }
      const logScaleGradient =
        byLogScale
          ?.mul(probe.narrow(1, 0, 1))
          .sum()
          .item() ?? null;
      expect(logScaleGradient === null).toBe(expected.logScaleGradient === null);
      expect(relativeError([logScaleGradient ?? 0], [expected.logScaleGradient ?? 0])).toBeLessThan(1e-9);
      const norms = byCurve.map((gradient) => gradient?.norm().item() ?? 0);
      expect(relativeError(norms, expected.curveGradient ?? [])).toBeLessThan(1e-9);
    });
  });
});

describe("composed loss, gradients by finite differences in float64", () => {
  test.each(
    INDICATORS.flatMap((indicator) =>
      (["ce", "gce", "focal", "kl"] as const).map((pixelLoss) => ({ indicator, pixelLoss })),
    ),
  )("$indicator, $pixelLoss, confidence attached", ({ indicator, pixelLoss }) => {
    tidy(() => {
      // Attached, and with the L1 factor frozen as the definition says: the one case without a closed form beside it.
      const logits = onTestDevice(ops.randn([1, 3, 2, 3], { dtype: "float64" })).requiresGrad_();
      const logScale = onTestDevice(ops.randn([1, 1, 2, 3], { dtype: "float64" }))
        .mul(0.5)
        .requiresGrad_();
      const classes = Uint8Array.from([0, 1, 2, 255, 1, 0, 2, 2, 1, 0, 0, 255]);
      const labels = onTestDevice(fromTypedArray(classes, [1, 3, 4]));
      using curve = new ArmCurve().to({ dtype: "float64", device: testDevice });
      const criterion = new SegmentationLoss({
        indicator,
        pixelLoss,
        curve,
        detach: false,
        implementation: "composed",
      });
      const evaluate = () => criterion.call({ logits, labels, logScale });
      const frozen = l1Factor(evaluate().report!);
      const f = () => {
        const { objective, report } = evaluate();
        return (objective.item() * l1Factor(report!)) / frozen;
      };
      const leaves = [logits, logScale, curve.conv2.weight];
      const found = gradients([evaluate().loss], leaves, { allowUnused: true });
      for (const [i, leaf] of leaves.entries()) {
        const expected = tidy(() => numericalGradient(f, leaf));
        const gradient = found[i] ? numbers(found[i] as Tensor) : expected.map(() => 0);
        expect(relativeError(gradient, expected, 1e-6)).toBeLessThan(1e-5);
      }
    });
  });
});

/** Σ ŵ = S1 / Sp^(1/2), the factor that counts as a constant. */
function l1Factor(report: LossReport): number {
  const { weightSum, weightPowerSum } = readLossReport(report);
  return weightSum / Math.sqrt(weightPowerSum);
}

describe("composed loss, properties", () => {
  const lossArbitrary = fc.constantFrom("ce" as const, "gce" as const, "focal" as const);
  const curve = new ArmCurve().to({ dtype: "float64", device: testDevice });

  test("what lies under the ignore index changes nothing, NaN included", () => {
    fc.assert(
      fc.property(
        lossArbitrary,
        fc.constantFrom(...INDICATORS.slice(0, 4)),
        fc.constantFrom(Number.NaN, 1e30, -7),
        (pixelLoss, indicator, junk) => {
          tidy(() => {
            const criterion = new SegmentationLoss({
              pixelLoss,
              indicator,
              curve,
              implementation: "composed",
            });
            const logits = onTestDevice(ops.randn([2, 4, 3, 5], { dtype: "float64" }));
            const labels = onTestDevice(ops.randint(0, 4, [2, 3, 5], { dtype: "int64" }));
            const ignored = onTestDevice(ops.rand([2, 3, 5])).lt(0.4);
            const results = [logits, logits.maskedFill(ignored.unsqueeze(1), junk)].map((z) => {
              const leaf = z.detach().requiresGrad_();
              const { loss } = criterion.call({ logits: leaf, labels: labels.maskedFill(ignored, 255) });
              return [
                loss.item(),
                ...gradients([loss], [leaf, curve.conv1.weight]).flatMap((g) => numbers(g as Tensor)),
              ];
            });
            // CUDA may add up a gradient in another order each time.
            if (isOnCpu) expect(results[1]).toEqual(results[0]);
            else expect(relativeError(results[1] as number[], results[0] as number[])).toBeLessThan(1e-12);
          });
        },
      ),
      { numRuns: 40 },
    );
  });

  test("permuting pixels changes nothing", () => {
    fc.assert(
      fc.property(lossArbitrary, fc.constantFrom(...INDICATORS.slice(0, 4)), (pixelLoss, indicator) => {
        tidy(() => {
          const criterion = new SegmentationLoss({ pixelLoss, indicator, curve, implementation: "composed" });
          const logits = onTestDevice(ops.randn([1, 4, 1, 30], { dtype: "float64" }));
          const labels = onTestDevice(ops.randint(0, 4, [1, 1, 30], { dtype: "int64" }));
          const order = onTestDevice(ops.randperm(30, { dtype: "int64" }));
          const plain = criterion.call({ logits, labels });
          const permuted = criterion.call({
            logits: logits.indexSelect(3, order),
            labels: labels.indexSelect(2, order),
          });
          expect(relativeError([permuted.objective.item()], [plain.objective.item()])).toBeLessThan(1e-13);
        });
      }),
      { numRuns: 30 },
    );
  });

  test("knots and the exact curve agree to 1e-6", () => {
    tidy(() => {
      const { logits, labels } = goldenInputs();
      using curve = goldenCurve("arm");
      const { settings } = new SegmentationLoss({ curve });
      const run = { isIsolated: false, hasReport: false };
      const [exact, knots] = (["exact", "knots"] as const).map((evaluation) => {
        const { objective } = composedLoss({ logits, labels }, settings, run, evaluation);
        return [objective.item(), ...numbers(gradients([objective], [logits])[0] as Tensor)];
      });
      expect(relativeError(knots as number[], exact as number[])).toBeLessThan(1e-6);
    });
  });
});
