import { expect, test } from "vitest";
import { type AuditedPixels, findRegions } from "./find-regions.ts";

/** Planes from rows of characters: classes, `.` for unlabelled; likelihoods as tenths. */
function planes(label: string[], prediction: string[], likelihood: string[], given: string[]): AuditedPixels {
  const classes = (rows: string[]) =>
    Uint8Array.from(rows.join(""), (character) => (character === "." ? 255 : Number(character)));
  const tenths = (rows: string[]) => Float32Array.from(rows.join(""), (character) => Number(character) / 10);
  return {
    height: label.length,
    width: label[0]!.length,
    label: classes(label),
    prediction: classes(prediction),
    likelihood: tenths(likelihood),
    givenLikelihood: tenths(given),
  };
}

const thresholds = [0.5, 0.8, 0.5];

test("connected pixels that are surely another class, with box, score and mask", () => {
  const pixels = planes(
    ["00000", "00000", "0.000"],
    ["01100", "01100", "01000"],
    ["09800", "07900", "09000"],
    ["00100", "02000", "00000"],
  );
  const regions = findRegions(pixels, thresholds, 1);
  // (1, 1) is below the threshold of class 1, (2, 1) has no label.
  expect(regions).toEqual([
    {
      label: 0,
      prediction: 1,
      area: 3,
      score: expect.closeTo(0.9 + 0.8 + 0.9 - 0.1, 5),
      likelihood: expect.closeTo(2.6 / 3, 5),
      givenLikelihood: expect.closeTo(0.1 / 3, 5),
      mask: { top: 0, left: 1, height: 2, width: 2, runs: [0, 2, 1, 1] },
    },
  ]);
});

test("a region has one label and one prediction; diagonal pixels are apart", () => {
  const pixels = planes(["0022", "0022"], ["1110", "2221"], ["9999", "9999"], ["0000", "0000"]);
  const found = findRegions(pixels, thresholds, 1).map(({ label, prediction, area }) => [
    label,
    prediction,
    area,
  ]);
  // The third pixel below is predicted as it is labelled.
  expect(found).toEqual([
    [0, 1, 2],
    [2, 1, 1],
    [2, 0, 1],
    [0, 2, 2],
    [2, 1, 1],
  ]);
});

test("what is too small, agrees, is unsure or has no label is no region", () => {
  const agreeing = planes(["01"], ["01"], ["99"], ["99"]);
  expect(findRegions(agreeing, thresholds, 1)).toEqual([]);
  const unlabelled = planes([".."], ["11"], ["99"], ["00"]);
  expect(findRegions(unlabelled, thresholds, 1)).toEqual([]);
  const unsure = planes(["00"], ["11"], ["77"], ["00"]);
  expect(findRegions(unsure, thresholds, 1)).toEqual([]);
  const pair = planes(["00"], ["11"], ["99"], ["00"]);
  expect(findRegions(pair, thresholds, 2)).toHaveLength(1);
  expect(findRegions(pair, thresholds, 3)).toEqual([]);
});
