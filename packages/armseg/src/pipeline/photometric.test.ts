import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { CounterRandom, STREAMS } from "../core/random.ts";
import { augmentationPresets } from "./augment.ts";
import { bytes, golden } from "./golden/read-golden.ts";
import { colorDistortion, drawPhotometric } from "./photometric.ts";

const OPTIONS = augmentationPresets.cityscapes.photometric;
const random = (index: number) =>
  new CounterRandom({ seed: 4, iteration: 1, index, stream: STREAMS.photometric });

test("distorted images equal the numpy and OpenCV reference to the last bit", () => {
  for (const { distortion, crc32: expected } of golden.colors.cases) {
    const image = bytes(golden.colors.image);
    colorDistortion(distortion)(image);
    expect(crc32(image), JSON.stringify(distortion)).toBe(expected);
  }
});

test("every one of the 2^24 colours goes through HSV as in OpenCV", () => {
  for (const { distortion, crc32: expected } of golden.colors.exhaustive) {
    let crc = 0;
    for (let red = 0; red < 256; red++) {
      const plane = new Uint8Array(256 * 256 * 3);
      for (let i = 0; i < 65536; i++) plane.set([red, i >> 8, i & 255], 3 * i);
      colorDistortion(distortion)(plane);
      crc = crc32(plane, crc);
    }
    expect(crc, JSON.stringify(distortion)).toBe(expected);
  }
});

test("steps by hand: brightness adds and clips, contrast scales and truncates, their order matters", () => {
  const apply = (distortion: Parameters<typeof colorDistortion>[0]) => {
    const data = Uint8Array.of(10, 100, 250);
    colorDistortion(distortion)(data);
    return [...data];
  };
  expect(apply({ contrastFirst: true })).toEqual([10, 100, 250]);
  expect(apply({ contrastFirst: true, brightness: 20.9 })).toEqual([30, 120, 255]);
  expect(apply({ contrastFirst: true, brightness: -20.9 })).toEqual([0, 79, 229]);
  expect(apply({ contrastFirst: false, contrast: 0.55 })).toEqual([5, 55, 137]);
  // A pure grey has no hue and no saturation to change.
  const grey = Uint8Array.of(77, 77, 77);
  colorDistortion({ contrastFirst: true, hue: 9, saturation: 1.5 })(grey);
  expect([...grey]).toEqual([77, 77, 77]);
});

test("each step is drawn half of the time, within its range, independently of the others", () => {
  const drawn = Array.from({ length: 4000 }, (_, i) => drawPhotometric(random(i), OPTIONS));
  for (const name of ["brightness", "contrast", "saturation", "hue"] as const) {
    const values = drawn.flatMap((distortion) => distortion[name] ?? []);
    expect(Math.abs(values.length - 2000)).toBeLessThan(130);
    const [low, high] = name === "brightness" ? [-32, 32] : name === "hue" ? [-18, 17] : [0.5, 1.5];
    expect(Math.min(...values)).toBeGreaterThanOrEqual(low);
    expect(Math.max(...values)).toBeLessThanOrEqual(high);
    expect(Math.min(...values)).toBeLessThan(low + 0.02 * (high - low));
    expect(Math.max(...values)).toBeGreaterThan(high - 0.02 * (high - low));
  }
  const both = drawn.filter(({ hue, saturation }) => hue !== undefined && saturation !== undefined);
  expect(Math.abs(both.length - 1000)).toBeLessThan(110);
  expect(Math.abs(drawn.filter(({ contrastFirst }) => contrastFirst).length - 2000)).toBeLessThan(130);
});
