import { expect, test } from "vitest";
import type { Sample } from "../data/sample.ts";
import { SampleChooser } from "./check-data-samples.ts";

/** A sample of 100 pixels, with its pixels by class. */
function made(name: string, ...pixels: number[]): [Sample, Parameters<SampleChooser["add"]>[1]] {
  const labelMap = { encoding: "values", classes: {} } as const;
  const sample = { name, image: name, annotation: { kind: "mask", path: name, labelMap } } as const;
  const values = pixels.map((count, label) => ({ value: String(label), label, pixels: count }));
  const ignored = { value: "255", label: 255, pixels: 100 - pixels.reduce((a, b) => a + b, 0) };
  const unknown = { value: "77", pixels: 0 };
  return [sample, { label: { size: [10, 10], mode: "grey 8-bit", values: [...values, ignored, unknown] } }];
}

const SAMPLES = [
  made("whole", 100),
  made("empty", 0, 0),
  made("little", 1, 2),
  made("some", 10, 0, 20, 1),
  made("much", 30, 30, 0, 20),
  made("all", 10, 20, 30, 40),
];
const names = (samples: readonly Sample[]): string[] => samples.map(({ name }) => name);

function chosen(samples = SAMPLES, seed = 0): Record<string, string[]> {
  const chooser = new SampleChooser(seed, { random: 3, extreme: 2 });
  for (const [sample, inspection] of samples) chooser.add(sample, inspection);
  return {
    random: names(chooser.random),
    least: names(chooser.leastLabelled),
    most: names(chooser.mostClasses),
    last: names(chooser.ofClass(3)),
    none: names(chooser.ofClass(4)),
  };
}

test("the extremes: least labelled but something, most classes, most pixels of a class", () => {
  expect(chosen()).toMatchObject({
    least: ["little", "some"],
    most: ["all", "much"],
    last: ["all", "much"],
    none: [],
  });
});

test("the same samples whatever the order in which they are read; others with another seed", () => {
  expect(chosen([...SAMPLES].reverse())).toEqual(chosen());
  expect(chosen().random).toHaveLength(3);
  const draws = new Set([0, 1, 2, 3, 4, 5].map((seed) => chosen(SAMPLES, seed).random!.join()));
  expect(draws.size).toBeGreaterThan(3);
});

test("a sample without a label is not chosen, one whose label cannot be read only at random", () => {
  const [sample] = made("broken");
  const chooser = new SampleChooser(0, { random: 3, extreme: 2 });
  chooser.add(sample, {});
  chooser.add({ name: "unlabelled", image: "unlabelled" }, {});
  expect(names(chooser.random)).toEqual(["broken"]);
  expect([chooser.leastLabelled, chooser.mostClasses, chooser.ofClass(0)]).toEqual([[], [], []]);
});

// The least share is that of multiples of 291; names are in the order of texts.
test("of a hundred thousand samples as few are kept as of ten", () => {
  const chooser = new SampleChooser(0, { random: 8, extreme: 4 });
  for (let i = 0; i < 1e5; i++) chooser.add(...made(`sample ${i}`, (i % 97) + 1, i % 3));
  expect(chooser.random).toHaveLength(8);
  expect(names(chooser.leastLabelled)).toEqual(["sample 0", "sample 10185", "sample 10476", "sample 10767"]);
  expect(chooser.ofClass(1)).toHaveLength(4);
});
