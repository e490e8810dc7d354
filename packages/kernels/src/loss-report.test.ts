import { fromTypedArray, tensor, tidy } from "@armseg/torch";
import { expect, test } from "vitest";
import {
  BIN_SUMS,
  LOSS_SUMS,
  packLossReport,
  readLossReport,
  reweightedLoss,
  unpackLossReport,
} from "./index.ts";
import { kernel } from "./library.ts";
import { lossReport, namedBins } from "./loss-report.ts";

const camelCase = (name: string) => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());

test("names the sums in the order in which the kernels write them", () => {
  const [sums, bins] = kernel("loss_layout")() as [string[], string[]];
  expect(sums.map(camelCase)).toEqual(LOSS_SUMS);
  expect(bins.map(camelCase)).toEqual(BIN_SUMS);
});

test("each name has the value that it says, by hand", () => {
  // Likelihoods (3/4, 1/4) and (1/2, 1/2): confidences -1/2 and -1, weights 3/4 and 1 under the knots (1, 0).
  const logits = tensor([[[[Math.log(3), 0]], [[0, 0]]]]);
  const labels = fromTypedArray(Uint8Array.from([0, 1]), [1, 1, 2]);
  const classWeights = tensor([2, 3]);
  const { report } = reweightedLoss({ logits, labels, knots: tensor([1, 0]), classWeights }, { p: 3 });
  const losses = [2 * Math.log(4 / 3), 3 * Math.log(2)] as const;
  const expected = {
    validPixels: 2,
    keptPixels: 2,
    weightSum: 1.75,
    weightPowerSum: 0.75 ** 3 + 1,
    weightedLossSum: 0.75 * losses[0] + losses[1],
    lossSum: losses[0] + losses[1],
    pixelWeightSum: 5,
    confidenceSum: -1.5,
    likelihoodSum: 1.25,
    weightSquareSum: 0.75 ** 2 + 1,
  };
  for (const name of LOSS_SUMS) expect(report![name].item(), name).toBeCloseTo(expected[name], 6);
  // The first pixel is a quarter of the way to the right knot.
  const atKnots = {
    count: [1.75, 0.25],
    weightSum: [0.75 * 0.75 + 1, 0.25 * 0.75],
    lossSum: [0.75 * losses[0] + losses[1], 0.25 * losses[0]],
    weightPowerSum: [0.75 * 0.75 ** 2 + 1, 0.25 * 0.75 ** 2],
  };
  for (const name of BIN_SUMS) {
    expect(report!.bins![name].toArray(), name).toEqual(atKnots[name].map((sum) => expect.closeTo(sum, 6)));
  }
});

const sums = Float64Array.from(LOSS_SUMS, (_, i) => i + 1);
const bins = Float64Array.from({ length: 8 }, (_, i) => 10 * i);

test("is read into numbers, with means over the kept pixels", () => {
  const figures = readLossReport(lossReport(fromTypedArray(sums, [10]), fromTypedArray(bins, [4, 2])));
  expect(figures).toMatchObject({ keptPixels: 2, weightSum: 3, weightSquareSum: 10, isEmpty: false });
  expect(figures).toMatchObject({ meanConfidence: 4, meanLikelihood: 4.5, effectivePixels: 0.9 });
  const empty = readLossReport(
    lossReport(fromTypedArray(new Float64Array(10), [10]), fromTypedArray(bins, [4, 2])),
  );
  expect(empty).toMatchObject({ meanConfidence: 0, effectivePixels: 0, isEmpty: true });
});

test("is packed into one tensor and unpacked, with bins and without", () => {
  const whole = tidy(() => lossReport(fromTypedArray(sums, [10]), fromTypedArray(bins, [4, 2])));
  const again = unpackLossReport(packLossReport(whole));
  expect(again.likelihoodSum.item()).toBe(9);
  expect(again.bins?.lossSum.toArray()).toEqual([40, 50]);
  const plain = unpackLossReport(packLossReport({ ...whole, bins: null }));
  expect([plain.weightSquareSum.item(), plain.bins]).toEqual([10, null]);
});

test("rows of bins that were read have the names of the tensors'", () => {
  expect(namedBins(bins).lossSum).toEqual(Float64Array.of(40, 50));
});

test("is not there unless it is asked for, and has no bins without a curve", () => {
  const logits = tensor([[[[1, 0]], [[0, 0]]]]);
  const labels = fromTypedArray(Uint8Array.from([0, 1]), [1, 1, 2]);
  expect(reweightedLoss({ logits, labels }, { statistics: false }).report).toBeNull();
  expect(reweightedLoss({ logits, labels }).report?.bins).toBeNull();
});
