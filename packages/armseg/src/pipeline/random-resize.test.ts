import { expect, test } from "vitest";
import { CounterRandom, STREAMS } from "../core/random.ts";
import { golden } from "./golden/read-golden.ts";
import { drawResize, resizedSize } from "./random-resize.ts";

test("sizes equal mmcv's rescale_size for every image, base and ratio", () => {
  for (const { image, base, ratio, size } of golden.sizes)
    expect(resizedSize(image, base, ratio)).toEqual(size);
});

test("a thin image keeps at least one pixel a side", () => {
  expect(resizedSize([1, 5000], [100, 100])).toEqual([1, 100]);
});

test("drawn sizes span the range of ratios and keep the shape", () => {
  const options = { base: [1024, 2048], ratioRange: [0.5, 2] } as const;
  const drawn = Array.from({ length: 500 }, (_, index) =>
    drawResize(
      new CounterRandom({ seed: 1, iteration: 0, index, stream: STREAMS.resize }),
      [1024, 2048],
      options,
    ),
  );
  for (const [height, width] of drawn) {
    expect(height).toBeGreaterThanOrEqual(512);
    expect(height).toBeLessThanOrEqual(2048);
    expect(Math.abs(width - 2 * height)).toBeLessThanOrEqual(1);
  }
  expect(Math.min(...drawn.map(([height]) => height))).toBeLessThan(540);
  expect(Math.max(...drawn.map(([height]) => height))).toBeGreaterThan(2000);
});
