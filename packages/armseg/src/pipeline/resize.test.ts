import fc from "fast-check";
import { expect, test } from "vitest";
import { bytes, golden, labelImage, rgbImage } from "./golden/read-golden.ts";
import { countClasses } from "./random-crop.ts";
import { resizeImageWindow, sourceWindow, wholePart } from "./resize-image.ts";
import { resizeLabelWindow } from "./resize-label.ts";
import { roundHalfEven } from "./resize-tables.ts";
import { type Size, type Window, wholeImage } from "./window.ts";

test("images and labels equal OpenCV's INTER_LINEAR and INTER_NEAREST to the last bit, windows and mirrored windows too", () => {
  for (const { source, size, window, ...expected } of golden.resizes) {
    const image = rgbImage(expected.image, source);
    expect(resizeImageWindow(wholePart(image), size, wholeImage(size)).data).toEqual(
      bytes(expected.wholeImage),
    );
    expect(resizeImageWindow(wholePart(image), size, window).data).toEqual(bytes(expected.imageWindow));
    expect(resizeImageWindow(wholePart(image), size, window, { flip: true }).data).toEqual(
      bytes(expected.flippedWindow),
    );
    const label = labelImage(expected.label, source);
    expect(resizeLabelWindow(label, size, window).data).toEqual(bytes(expected.labelWindow));
    expect([...countClasses(label, size, window)]).toEqual(expected.counts);
  }
});

const side = fc.integer({ min: 1, max: 40 });
const windowed = fc
  .record({
    source: fc.tuple(side, side),
    size: fc.tuple(side, side),
    seed: fc.nat(255),
    halve: fc.boolean(),
  })
  .chain(({ source, size, seed, halve }) => {
    const from: Size = halve ? [2 * size[0], 2 * size[1]] : source;
    return fc.record({ top: fc.nat(size[0] - 1), left: fc.nat(size[1] - 1) }).chain(({ top, left }) =>
      fc.record({
        source: fc.constant(from),
        size: fc.constant<Size>(size),
        seed: fc.constant(seed),
        window: fc.record({
          top: fc.constant(top),
          left: fc.constant(left),
          height: fc.integer({ min: 1, max: size[0] - top }),
          width: fc.integer({ min: 1, max: size[1] - left }),
        }),
      }),
    );
  });

/** Mirrors rows of pixels left to right. */
function flipRows(data: Uint8Array, width: number, channels: number): Uint8Array {
  return data.map((_, i) => {
    const pixel = Math.floor(i / channels);
    const row = pixel - (pixel % width);
    return data[(row + width - 1 - (pixel % width)) * channels + (i % channels)]!;
  });
}

test("rows are mirrored, pixels stay whole", () => {
  expect([...flipRows(Uint8Array.of(1, 2, 3, 4, 5, 6), 3, 2)]).toEqual([5, 6, 3, 4, 1, 2]);
});

const from = ({ height, width }: { height: number; width: number }): Size => [height, width];

function noise(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => Math.imul(i + 1, 2654435761 + 40503 * seed) >>> 13);
}

function crop(data: Uint8Array, width: number, channels: number, window: Window): Uint8Array {
  const rows = Array.from({ length: window.height }, (_, y) => {
    const start = ((window.top + y) * width + window.left) * channels;
    return [...data.subarray(start, start + window.width * channels)];
  });
  return Uint8Array.from(rows.flat());
}

test("a window of the resized image is the resized image's window, needs only a part of the image, and flipping commutes", () => {
  fc.assert(
    fc.property(windowed, ({ source, size, window, seed }) => {
      const [height, width] = source;
      const image = { height, width, data: noise(height * width * 3, seed) };
      const whole = resizeImageWindow(wholePart(image), size, wholeImage(size)).data;
      const part = resizeImageWindow(wholePart(image), size, window).data;
      expect(part).toEqual(crop(whole, size[1], 3, window));
      const needed = sourceWindow(from(image), size, window);
      const pixels = { height: needed.height, width: needed.width, data: crop(image.data, width, 3, needed) };
      const fromPart = { pixels, imageSize: from(image), top: needed.top, left: needed.left };
      expect(resizeImageWindow(fromPart, size, window).data).toEqual(part);
      const flipped = resizeImageWindow(wholePart(image), size, window, { flip: true }).data;
      expect(flipped).toEqual(flipRows(part, window.width, 3));
      const label = { height, width, data: noise(height * width, seed) };
      const wholeLabel = resizeLabelWindow(label, size, wholeImage(size)).data;
      expect(resizeLabelWindow(label, size, window).data).toEqual(crop(wholeLabel, size[1], 1, window));
    }),
    { numRuns: 300 },
  );
});

test("a window wider than the strips it is made in is its parts side by side, mirrored too", () => {
  const [height, width] = [3, 1300];
  const image = wholePart({ height, width, data: noise(height * width * 3, 7) });
  for (const size of [
    [5, 2500],
    [3, 1300],
  ] as const) {
    const wide = { top: 1, left: 40, height: 2, width: 1250 };
    const { data } = resizeImageWindow(image, size, wide);
    for (let x = 0; x < wide.width; x += 250) {
      const part = { ...wide, left: wide.left + x, width: 250 };
      const inside = { top: 0, left: x, height: 2, width: 250 };
      expect(resizeImageWindow(image, size, part).data).toEqual(crop(data, wide.width, 3, inside));
    }
    expect(resizeImageWindow(image, size, wide, { flip: true }).data).toEqual(flipRows(data, wide.width, 3));
  }
});

test("a flat image stays flat and a resized label holds only values that were there", () => {
  fc.assert(
    fc.property(windowed, fc.nat(255), ({ source: [height, width], size, window }, level) => {
      const image = { height, width, data: new Uint8Array(height * width * 3).fill(level) };
      expect(new Set(resizeImageWindow(wholePart(image), size, window).data)).toEqual(new Set([level]));
      const label = { height, width, data: noise(height * width, level) };
      const before = new Set(label.data);
      for (const value of resizeLabelWindow(label, size, window).data) expect(before.has(value)).toBe(true);
    }),
  );
});

test("a 2x1 image doubled in width, by hand", () => {
  const image = { height: 1, width: 2, data: Uint8Array.of(0, 0, 0, 100, 200, 40) };
  const { data } = resizeImageWindow(wholePart(image), [1, 4], wholeImage([1, 4]));
  expect([...data]).toEqual([0, 0, 0, 25, 50, 10, 75, 150, 30, 100, 200, 40]);
});

test("halves round to even", () => {
  expect([0.5, 1.5, 2.5, 2.4, 2.6, -0.5].map(roundHalfEven)).toEqual([0, 2, 2, 2, 3, 0]);
});

test("a window outside the resized image is a named error", () => {
  const image = { height: 2, width: 2, data: new Uint8Array(12) };
  const window = { top: 0, left: 3, height: 2, width: 2 };
  expect(() => resizeImageWindow(wholePart(image), [4, 4], window)).toThrow("inside the image of 4x4 pixels");
  expect(() =>
    resizeLabelWindow({ height: 2, width: 2, data: new Uint8Array(4) }, [4, 4], { ...window, left: 0.5 }),
  ).toThrow("column 0.5");
});
