import { expect, test } from "vitest";
import { fillLabel } from "./fill-label.ts";

const IMAGE = {
  label: Uint8Array.of(0, 255, 255, 255, 1),
  prediction: Uint8Array.of(1, 1, 1, 2, 0),
  likelihood: Float32Array.of(1, 0.75, 0.7, 0.9, 1),
};

test("what was drawn stays, whatever the teacher says; the rest is filled from the threshold of its class on", () => {
  expect([...fillLabel(IMAGE, [0.5, 0.75, 0.8], false)]).toEqual([0, 1, 255, 2, 1]);
});

test("with the classes of the image's own label only, others stay void", () => {
  expect([...fillLabel(IMAGE, [0.5, 0.5, 0.5], true)]).toEqual([0, 1, 1, 255, 1]);
});
