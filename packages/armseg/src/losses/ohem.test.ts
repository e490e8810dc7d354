import { tensor, tidy } from "@armseg/torch";
import { testDevice } from "@armseg/torch/testing";
import { describe, expect, test } from "vitest";
import { doubles, numbers } from "../reweighting/testing/numbers.ts";
import { ohemKept, resolveOhem } from "./ohem.ts";
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
