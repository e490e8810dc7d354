import { expect, test } from "vitest";
import { ClassThresholds } from "./class-thresholds.ts";

test("a class is believed from its mean likelihood on, where it is labelled so; within [0.5, 0.968]", () => {
  const thresholds = new ClassThresholds(4);
  thresholds.add(Uint8Array.of(0, 0, 255, 1), Float32Array.of(0.5, 0.75, 0.01, 0.25));
  thresholds.add(Uint8Array.of(0, 2), Float32Array.of(1, 0.99));
  expect([...thresholds.values()]).toEqual([0.75, 0.5, 0.968, 0.968]);
});

test("several processes count together", () => {
  const thresholds = new ClassThresholds(2);
  thresholds.add(Uint8Array.of(0), Float32Array.of(0.5));
  thresholds.join({
    sum: (values) => {
      values[0]! += 1; // another process met one pixel of class 0, with likelihood 1
      values[2]! += 1;
    },
  });
  expect([...thresholds.values()]).toEqual([0.75, 0.968]);
});
