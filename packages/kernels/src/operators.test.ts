import { fromTypedArray, manualSeed, ops, tensor } from "@armseg/torch";
import { expect, test } from "vitest";
import {
  confidenceMap,
  confusion,
  cpuCapability,
  ohemThreshold,
  pixelMaps,
  predict,
  readLossReport,
  reweightedLoss,
  unsupportedCudaReason,
} from "./index.ts";

// On the CPU, the one device that the kernels have.
// Two pixels of likelihoods (3/4, 1/4) and (1/2, 1/2).
const logits = tensor([[[[Math.log(3), 0]], [[0, 0]]]]);
const labels = fromTypedArray(Uint8Array.from([0, 1]), [1, 1, 2]);

test("the reweighted loss of two pixels under the knots (1, 0), by hand", () => {
  const { objective, mean, report } = reweightedLoss({ logits, labels, knots: tensor([1, 0]) });
  expect(objective.item()).toBeCloseTo((0.75 * Math.log(4 / 3) + Math.log(2)) / 1.75, 6);
  expect(mean.item()).toBeCloseTo((Math.log(4 / 3) + Math.log(2)) / 2, 6);
  expect(readLossReport(report!)).toMatchObject({
    validPixels: 2,
    keptPixels: 2,
    weightSum: expect.closeTo(1.75, 6),
  });
  expect(report?.bins?.sums.shape).toEqual([4, 2]);
});

test("the maps behind it", () => {
  const maps = pixelMaps({ logits, labels, knots: tensor([1, 0]) });
  const values = Object.values(maps).map((map) => [...(map.toTypedArray() as Float32Array)]);
  const expected = [
    [-0.5, -1],
    [Math.log(4 / 3), Math.log(2)],
    [0.75, 1],
    [0.75, 0.5],
  ];
  expect(values).toEqual(expected.map((row) => row.map((value) => expect.closeTo(value, 6))));
  const u = confidenceMap(logits, [1, 2], { indicator: "var" });
  expect([...(u.toTypedArray() as Float32Array)]).toEqual(values[0]);
});

test("confusion matrix, label map, OHEM's threshold", () => {
  expect(confusion(logits, labels).toArray()).toEqual([
    [1, 0],
    [1, 0],
  ]);
  expect(predict(logits, [1, 2]).toArray()).toEqual([[[0, 0]]]);
  expect(ohemThreshold(logits, labels, { threshold: 0.6, minKept: 1 }).item()).toBeCloseTo(0.75, 6);
});

test("says which instruction set it runs on", () => {
  expect(["avx512", "avx2", "baseline"]).toContain(cpuCapability());
});

test("says in one line why a GPU that is not there cannot be used", () => {
  expect(unsupportedCudaReason(-1)).toBe("there is no CUDA device -1; the first is 0");
  expect(unsupportedCudaReason(63)).toMatch(/^[^\n]+; [^\n]+$/);
});

test("an argument that no operator takes is an error that shows the schema", () => {
  expect(() => ohemThreshold(logits, labels, { kept: 3 } as never)).toThrow(
    "armseg::ohem_threshold(Tensor logits",
  );
});

test("OHEM's threshold on sparse labels is the largest likelihood, whatever memory held before", () => {
  for (let seed = 0; seed < 50; seed++) {
    manualSeed(seed);
    const z = ops.randn([2, 3, 8, 8]);
    const y = ops.randint(0, 3, [2, 8, 8], { dtype: "int64" }).maskedFill(ops.rand([2, 8, 8]).lt(0.9), 255);
    const likelihood = pixelMaps({ logits: z, labels: y }).likelihood;
    expect(ohemThreshold(z, y, { threshold: 1e-9 }).item()).toBe(
      Math.max(likelihood.max().item(), Math.fround(1e-9)),
    );
  }
});
