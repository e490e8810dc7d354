import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ConfidentLearning } from "./confident-learning.ts";
import type { AuditedPixels } from "./find-regions.ts";
import { labelQuality } from "./label-quality.ts";

/** Made by cleanlab itself, see make-cleanlab-golden.py. */
const golden = JSON.parse(readFileSync(new URL("./golden/cleanlab.json", import.meta.url), "utf8")) as Record<
  "labels" | "prediction" | "likelihood" | "givenLikelihood" | "ignored" | "issues",
  number[][]
> & {
  height: number;
  width: number;
  classes: number;
  scores: number[];
  scoresWithoutIgnored: number[];
};

const images = golden.labels.map(
  (label, i): AuditedPixels => ({
    height: golden.height,
    width: golden.width,
    label: Uint8Array.from(label),
    prediction: Uint8Array.from(golden.prediction[i]!),
    likelihood: Float32Array.from(golden.likelihood[i]!),
    givenLikelihood: Float32Array.from(golden.givenLikelihood[i]!),
  }),
);

test("the quality of an image is cleanlab's soft minimum", () => {
  images.forEach(({ label, givenLikelihood }, i) => {
    expect(labelQuality(label, givenLikelihood)).toBeCloseTo(golden.scores[i]!, 6);
    const ignored = label.map((value, pixel) => (golden.ignored[i]![pixel] ? 255 : value));
    expect(labelQuality(ignored, givenLikelihood)).toBeCloseTo(golden.scoresWithoutIgnored[i]!, 6);
  });
  expect(labelQuality(Uint8Array.of(255), Float32Array.of(0))).toBeNull();
  expect(labelQuality(Uint8Array.of(0, 0), Float32Array.of(1, 1))).toBe(1);
  expect(labelQuality(Uint8Array.of(0), Float32Array.of(0))).toBe(0);
});

test("the issues are cleanlab's, from counts alone", () => {
  const counts = new ConfidentLearning(golden.classes);
  for (const pixels of images) counts.add(pixels);
  const cutoff = counts.cutoff();
  const found = images.map(({ label, prediction, givenLikelihood }) =>
    Array.from(label, (given, i) => Number(prediction[i] !== given && givenLikelihood[i]! < cutoff)),
  );
  expect(found).toEqual(golden.issues);
  expect(golden.issues.flat().filter(Boolean)).toHaveLength(27);
});

test("unlabelled pixels count for nothing", () => {
  const [all, valid] = [new ConfidentLearning(golden.classes), new ConfidentLearning(golden.classes)];
  for (const [i, pixels] of images.entries()) {
    const ignored = golden.ignored[i]!;
    all.add({ ...pixels, label: pixels.label.map((value, j) => (ignored[j] ? 255 : value)) });
    const kept = <T extends Uint8Array | Float32Array>(plane: T) => plane.filter((_, j) => !ignored[j]) as T;
    const { label, prediction, likelihood, givenLikelihood } = pixels;
    valid.add({
      ...pixels,
      label: kept(label),
      prediction: kept(prediction),
      likelihood: kept(likelihood),
      givenLikelihood: kept(givenLikelihood),
    });
  }
  expect(all.cutoff()).toBe(valid.cutoff());
});
