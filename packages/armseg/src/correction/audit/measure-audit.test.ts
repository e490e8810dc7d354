import { expect, test } from "vitest";
import { type AuditedPixels, findRegions } from "./find-regions.ts";
import { AuditMeasurement } from "./measure-audit.ts";

const thresholds = [0.5, 0.5];

function pixels(label: number[], prediction: number[], likelihood: number[], given: number[]): AuditedPixels {
  return {
    height: 1,
    width: label.length,
    label: Uint8Array.from(label),
    prediction: Uint8Array.from(prediction),
    likelihood: Float32Array.from(likelihood),
    givenLikelihood: Float32Array.from(given),
  };
}

function measured(images: readonly (readonly [AuditedPixels, number[]])[], cutoff: number) {
  const measurement = new AuditMeasurement(thresholds, cutoff);
  for (const [image, fine] of images)
    measurement.add(image, findRegions(image, thresholds, 1), Uint8Array.from(fine), 1);
  return measurement.result();
}

test("wrong and missing pixels, by hand", () => {
  const image = pixels(
    [0, 0, 0, 1, 1, 255, 255, 255],
    [1, 1, 0, 1, 0, 1, 0, 1],
    [0.9, 0.9, 0.9, 0.9, 0.4, 0.9, 0.6, 0.4],
    [0.1, 0.1, 0.9, 0.9, 0.3, 0, 0, 0],
  );
  // Wrong are the pixels 0, 2 and 4; missing are 5 and 6, as the last is void in the fine label, too.
  const fine = [1, 0, 1, 1, 0, 1, 1, 255];
  const { wrong, missing, wrongRecall, missingRecall, missingPrecision } = measured([[image, fine]], 0.35);
  expect([wrong, missing]).toEqual([3, 2]);
  // The region is the pixels 0 and 1; cleanlab's issues are 0, 1 and 4.
  expect(wrongRecall).toEqual({ ours: 1 / 3, cleanlab: 2 / 3 });
  expect([missingRecall, missingPrecision]).toEqual([1, 1 / 2]);
  // Half of its pixels is not most of them. Of cleanlab's two regions the one of pixel 4 is right.
  const precisionOf = (images: number) =>
    measured(
      Array.from({ length: images }, () => [image, fine] as const),
      0.35,
    ).precision[0];
  expect(precisionOf(5)).toEqual({ regions: 10, ours: null, cleanlab: 1 / 2 });
  expect(precisionOf(10)).toEqual({ regions: 10, ours: 0, cleanlab: 0 });
});

test("the head of the list counts: ours by score, cleanlab's by the likelihood of the given label", () => {
  // 60 regions: right ones of one pixel where the given label is less likely, and wrong ones of two pixels.
  const right = pixels([0], [1], [0.9], [0.05]);
  const wrong = pixels([0, 0], [1, 1], [0.9, 0.9], [0.1, 0.1]);
  const images = Array.from({ length: 60 }, (_, i) =>
    i % 2 ? ([right, [1]] as const) : ([wrong, [0, 0]] as const),
  );
  const { precision } = measured(
    images.map(([image, fine]) => [image, [...fine]] as const),
    0.5,
  );
  expect(precision).toEqual([
    { regions: 10, ours: 0, cleanlab: 1 },
    { regions: 50, ours: 20 / 50, cleanlab: 30 / 50 },
    { regions: 100, ours: null, cleanlab: null },
  ]);
});

test("nothing to count is no number", () => {
  expect(measured([], 0.5)).toEqual({
    wrong: 0,
    missing: 0,
    precision: [10, 50, 100].map((regions) => ({ regions, ours: null, cleanlab: null })),
    wrongRecall: { ours: null, cleanlab: null },
    missingRecall: null,
    missingPrecision: null,
  });
});
