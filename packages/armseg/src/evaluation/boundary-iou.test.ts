import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BoundaryIou, boundaryDistance, boundaryPixels } from "./boundary-iou.ts";
import type { LabelImage } from "./maps.ts";
import { golden, labelMap } from "./testing/golden.ts";

describe("Boundary IoU against erosion in numpy", () => {
  test.each(golden.boundaries)("$classes classes, ratio $ratio", ({ classes, ratio, images, iou, mean }) => {
    const boundary = new BoundaryIou(classes, { dilationRatio: ratio });
    for (const { height, width, label, prediction } of images)
      boundary.add(labelMap(height, width, label), labelMap(height, width, prediction));
    const result = boundary.result();
    expect(Math.abs(result.mean - mean)).toBeLessThan(1e-12);
    result.iou.forEach((value, c) => {
      if (iou[c] === null) expect(value).toBeNaN();
      else expect(Math.abs(value - iou[c]!)).toBeLessThan(1e-12);
    });
  });
});

const maps = fc
  .record({ height: fc.integer({ min: 1, max: 12 }), width: fc.integer({ min: 1, max: 12 }) })
  .chain(({ height, width }) =>
    fc.record({
      height: fc.constant(height),
      width: fc.constant(width),
      data: fc.uint8Array({ min: 0, max: 1, minLength: height * width, maxLength: height * width }),
    }),
  );

/** By definition: whether the square around a pixel leaves the map or holds another value. */
function slowBoundary({ height, width, data }: LabelImage, distance: number): Uint8Array {
  return data.map((value, i) => {
    const [row, column] = [Math.floor(i / width), i % width];
    for (let y = row - distance; y <= row + distance; y++)
      for (let x = column - distance; x <= column + distance; x++)
        if (y < 0 || x < 0 || y >= height || x >= width || data[y * width + x] !== value) return 1;
    return 0;
  });
}

describe("the boundary of a map", () => {
  test("equals its definition for any map and distance", () => {
    fc.assert(
      fc.property(maps, fc.integer({ min: 1, max: 3 }), (map, distance) => {
        // Stretched, so that some pixels have no border near them.
        const [height, width] = [map.height * 4, map.width * 4];
        const data = Uint8Array.from(
          { length: height * width },
          (_, i) => map.data[Math.floor(i / width / 4) * map.width + Math.floor((i % width) / 4)]!,
        );
        const large = { height, width, data };
        expect(boundaryPixels(large, distance)).toEqual(slowBoundary(large, distance));
      }),
      { numRuns: 60 },
    );
  });

  test("is 2 % of the diagonal wide, rounded as Python does, at least 1", () => {
    expect(boundaryDistance({ height: 1024, width: 2048 }, 0.02)).toBe(46);
    expect(boundaryDistance({ height: 3, width: 4 }, 0.02)).toBe(1);
    expect(boundaryDistance({ height: 30, width: 40 }, 0.05)).toBe(2); // 2.5
    expect(boundaryDistance({ height: 30, width: 40 }, 0.07)).toBe(4); // 3.5
  });

  test("one value: the frame", () => {
    expect(boundaryPixels(labelMap(3, 4, new Array(12).fill(7)), 1)).toEqual(
      Uint8Array.of(1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1),
    );
  });
});

describe("images and classes", () => {
  const label = labelMap(4, 4, [0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 255, 255]);

  test("a prediction that is right wherever it is judged scores 1, whatever it says elsewhere", () => {
    const prediction = { ...label, data: label.data.map((value) => (value === 255 ? 0 : value)) };
    expect(new BoundaryIou(3).add(label, prediction).result()).toEqual({
      mean: 1,
      iou: [1, 1, Number.NaN],
    });
  });

  test("parts of the set add up", () => {
    const wrong = { ...label, data: label.data.map(() => 0) };
    const whole = new BoundaryIou(2).add(label, wrong).add(label, label);
    const merged = new BoundaryIou(2).add(label, label).merge(new BoundaryIou(2).add(label, wrong));
    expect(merged.result()).toEqual(whole.result());
    expect(whole.result().mean).toBeLessThan(1);
  });

  test("sizes must agree", () => {
    expect(() => new BoundaryIou(2).add(label, labelMap(2, 8, label.data))).toThrow(
      /a prediction of the label's size 4×4, got 2×8/,
    );
  });
});
