import { fromTypedArray, type Tensor } from "@armseg/torch";
import { expect, test } from "vitest";
import { countCoverage, coverageOf, LEAST_COVERAGE } from "./estimate-coverage.ts";

const counts = (labelled: number[], predicted: number[]) => ({
  labelled: Float64Array.from(labelled),
  predicted: Float64Array.from(predicted),
});

test("the coverage is the labelled share of the pixels predicted as a class", () => {
  const [often, seldom] = coverageOf(counts([800_000, 100_000], [1_000_000, 1_000_000]));
  expect(often).toBeCloseTo(0.8, 3);
  expect(seldom).toBeCloseTo(0.1, 3);
});

test("a class that is never predicted gets the mean of all, and one hardly predicted is drawn towards it", () => {
  const [, hardly, never] = coverageOf(counts([600_000, 100, 0], [999_900, 100, 0]));
  expect(never).toBeCloseTo(0.6001, 6);
  // as many pixels of its own, all labelled, as the prior has, of which 0.6001 are
  expect(hardly).toBeCloseTo((1 + 0.6001) / 2, 6);
});

test("it stays in [0.05, 1]; without labels there is nothing to correct", () => {
  expect([...coverageOf(counts([1_000_000, 10], [1_000_000, 1_000_000]))]).toEqual([
    expect.closeTo(1, 3),
    LEAST_COVERAGE,
  ]);
  expect([...coverageOf(counts([0, 0], [10, 10]))]).toEqual([1, 1]);
  expect([...coverageOf(counts([0, 0], [0, 0]))]).toEqual([1, 1]);
});

test("counts pixels by prediction and by whether they carry a label, whatever it says", async () => {
  // the network says: class 2 in the upper row, class 0 in the lower one
  const predictLogits = (images: Tensor) => {
    const logits = Float32Array.from([0, 0, 5, 5, 0, 0, 0, 0, 9, 9, 0, 0]);
    return fromTypedArray(logits, [images.size(0), 3, 2, 2]);
  };
  async function* images() {
    const label = { height: 2, width: 2, data: Uint8Array.from([1, 255, 0, 0]) };
    for (const name of ["a", "b"]) {
      yield { name, image: new Float32Array(3 * 4), size: [2, 2] as const, label };
    }
  }
  const { labelled, predicted } = await countCoverage({ predictLogits, numClasses: 3, images: images() });
  expect([...labelled]).toEqual([4, 0, 2]);
  expect([...predicted]).toEqual([4, 0, 4]);
});
