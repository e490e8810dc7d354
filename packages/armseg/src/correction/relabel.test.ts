import { expect, test } from "vitest";
import { relabel } from "./relabel.ts";

/** 80×100 pixels of class 0; the network is sure of class 1 in a block of 2×3 pixels and in a single one; nothing is labelled on the left. */
function image() {
  const [height, width] = [80, 100];
  const plane = (value: number) => new Uint8Array(height * width).fill(value);
  const pixels = {
    height,
    width,
    label: plane(0),
    prediction: plane(0),
    likelihood: new Float32Array(height * width).fill(0.9),
    givenLikelihood: new Float32Array(height * width).fill(0.05),
  };
  for (let row = 0; row < height; row++) pixels.label.fill(255, row * width, row * width + 10);
  const block = [0, 1].flatMap((row) => [20, 21, 22].map((column) => (5 + row) * width + column));
  for (const i of [...block, 30 * width + 30, 12 * width + 3]) pixels.prediction[i] = 1;
  return { pixels, block };
}

test.each([
  ["prediction", 1],
  ["void", 255],
] as const)(
  "a region that is surely another class becomes its %s; small ones and unlabelled pixels stay",
  (by, value) => {
    const { pixels, block } = image();
    const expected = pixels.label.slice();
    for (const i of block) expected[i] = value;
    expect(relabel(pixels, [0.5, 0.8], by)).toEqual(expected);
    expect(pixels.label[block[0]!]).toBe(0); // the label itself is left alone
  },
);

test("below the threshold of the predicted class nothing changes", () => {
  const { pixels } = image();
  expect(relabel(pixels, [0.5, 0.95], "prediction")).toEqual(pixels.label);
});
