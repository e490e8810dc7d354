import { readLossReport } from "@armseg/kernels";
import { manualSeed, nn, ops, type Tensor, tensor, tidy } from "@armseg/torch";
import { testDevice } from "@armseg/torch/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { doubles, numbers } from "../reweighting/testing/numbers.ts";
import { logLikelihoods } from "./class-likelihoods.ts";

import { ohemKept, resolveOhem } from "./ohem.ts";
import { labelLogLikelihood } from "./pixel-losses.ts";
import { SegmentationLoss } from "./segmentation-loss.ts";
import { golden, goldenInputs } from "./testing/golden.ts";

/** Pixels in a row: likelihood of the label, or null where ignored. */
function kept(options: Parameters<typeof resolveOhem>[0], likelihoods: readonly (number | null)[]): number[] {
  const logLikelihood = doubles([[likelihoods.map((p) => Math.log(p ?? 0.01))]]);
  const valid = tensor([[likelihoods.map((p) => p !== null)]], { device: testDevice }).to("bool");
  return numbers(ohemKept(resolveOhem(options), { logLikelihood, lossMap: logLikelihood.neg(), valid }));
}

describe("OHEM", () => {
  test("keeps the unlikely labels, and at least minKept of them", () => {
    const likelihoods = [0.9, 0.8, null, 0.3, 0.6];
    expect(kept({ threshold: 0.7, minKept: 1 }, likelihoods)).toEqual([0, 0, 0, 1, 1]);
    expect(kept({ threshold: 0.5, minKept: 1 }, likelihoods)).toEqual([0, 0, 0, 1, 0]);
    expect(kept({ threshold: 0.1, minKept: 3 }, likelihoods)).toEqual([0, 1, 0, 1, 1]);
  });

  test("leaves out the pixel at the threshold itself, as openseg does", () => {
    expect(kept({ threshold: 0.5, minKept: 100 }, [0.9, 0.8, 0.6])).toEqual([0, 1, 1]);
  });

  test("mmseg counts minKept per image, and without a threshold takes the largest losses", () => {
    expect(kept({ threshold: null, minKept: 2, semantics: "mmseg" }, [0.9, 0.8, null, 0.3, 0.6])).toEqual([
      0, 0, 0, 1, 1,
    ]);
    expect(kept({ threshold: null, minKept: 2, semantics: "mmseg" }, [0.5, 0.5, 0.5])).toEqual([1, 1, 0]);
    expect(kept({ threshold: null, minKept: 9, semantics: "mmseg" }, [null, 0.5])).toEqual([0, 1]);
  });

  test("is empty where nothing is valid", () => {
    expect(kept({}, [null, null])).toEqual([0, 0]);
  });

  test.each(golden.ohem)(
    "$semantics, threshold $threshold, minKept $minKept equals its transcription",
    (expected) => {
      tidy(() => {
        const { logits, labels } = goldenInputs();
        const { threshold, minKept, semantics } = expected;
        const criterion = new SegmentationLoss({
          ohem: { threshold, minKept, semantics },
          implementation: "composed",
        });
        const { loss, report } = criterion.call({ logits, labels });
        expect(loss.item()).toBeCloseTo(expected.loss, 12);
        expect(report?.keptPixels.item()).toBe(expected.kept);
      });
    },
  );

  describe("in float32 equals openseg's OhemCrossEntropy", () => {
    /** A batch of 19 classes whose likelihoods saturate the more, the larger `scale` is: then many tie at 1 or just below. */
    function saturatedBatch(seed: number, scale: number, low: number) {
      manualSeed(seed);
      const logits = ops.randn([2, 19, low, low]).mul(scale);
      const full = low === 32 ? logits : nn.interpolate(logits, { size: [32, 32] });
      const chance = ops.rand([2, 32, 32]);
      const drawn = ops.rand([2, 32, 32]).mul(19).to("int64");
      const labels = ops.where(chance.lt(0.8), full.argmax(1), drawn).maskedFill(chance.gt(0.95), 255);
      return { logits, full, labels, valid: labels.ne(255) };
    }

    /** openseg's selection (lib/loss/loss_helper.py), transcribed: a softmax, sorted, and its value at position minKept. */
    function openseg(full: Tensor, labels: Tensor, minKept: number) {
      const valid = labels.ne(255);
      const classes = labels.maskedFill(valid.logicalNot(), 0).unsqueeze(1);
      const likelihood = full.softmax(1).gather(1, classes).squeeze(1);
      const [sorted] = likelihood.maskedSelect(valid).sort();
      const smallest = sorted.select(0, Math.min(minKept, sorted.numel - 1)).item();
      const threshold = Math.max(smallest, 0.7);
      const atThreshold = likelihood
        .sub(threshold)
        .abs()
        .le(2 ** -22)
        .logicalAnd(valid);
      return { kept: likelihood.lt(threshold).logicalAnd(valid), atThreshold: atThreshold.sum().item() };
    }

    const batches = fc.record({
      seed: fc.nat(1e6),
      scale: fc.constantFrom(2, 8, 16, 32),
      low: fc.constantFrom(9, 32),
      /** Valid pixels beyond minKept. */
      spare: fc.constantFrom(-1e5, 0, 1, 5, 50, 500, 1500),
    });

    test("composed: pixel for pixel, ties at the threshold too", () => {
      const compare = fc.property(batches, ({ seed, scale, low, spare }) =>
        tidy(() => {
          const { full, labels, valid } = saturatedBatch(seed, scale, low);
          const minKept = Math.max(1, valid.sum().item() - 1 - spare);
          const logLikelihood = labelLogLikelihood(
            logLikelihoods(full, valid),
            labels.maskedFill(valid.logicalNot(), 0),
          );
          const source = { logLikelihood, lossMap: logLikelihood.neg(), valid };
          const { kept } = openseg(full, labels, minKept);
          expect(ohemKept(resolveOhem({ minKept }), source).ne(kept).sum().item()).toBe(0);
        }),
      );
      fc.assert(compare, { numRuns: 100 });
    });

    test("fused: but for pixels within four roundings of the threshold", () => {
      const compare = fc.property(batches, ({ seed, scale, low, spare }) =>
        tidy(() => {
          const { logits, full, labels, valid } = saturatedBatch(seed, scale, low);
          const minKept = Math.max(1, valid.sum().item() - 1 - spare);
          const criterion = new SegmentationLoss({ ohem: { minKept }, implementation: "fused" });
          const found = readLossReport(criterion.call({ logits, labels }).report!).keptPixels;
          const { kept, atThreshold } = openseg(full, labels, minKept);
          expect(Math.abs(found - kept.sum().item())).toBeLessThanOrEqual(atThreshold);
        }),
      );
      fc.assert(compare, { numRuns: 100 });
    });
  });

  test("refuses values that mean nothing", () => {
    expect(() => resolveOhem({ threshold: 7 })).toThrow("expected a threshold in [0, 1], got 7");
    expect(() => resolveOhem({ threshold: null })).toThrow(
      "expected a threshold for semantics openseg, got null",
    );
    expect(() => resolveOhem({ minKept: 0 })).toThrow(
      "expected minKept to be a positive whole number, got 0",
    );
  });
});
