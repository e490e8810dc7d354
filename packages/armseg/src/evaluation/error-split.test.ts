import { describe, expect, test } from "vitest";
import { ErrorSplit, errorSplitTable } from "./error-split.ts";
import type { LabelImage } from "./maps.ts";
import { labelMap } from "./testing/golden.ts";

/** By definition. */
function borderDistance({ height, width, data }: LabelImage): Float64Array {
  return Float64Array.from(data, (value, i) => {
    let least = Infinity;
    for (let j = 0; j < height * width; j++)
      if (data[j] !== value)
        least = Math.min(
          least,
          Math.hypot(Math.floor(i / width) - Math.floor(j / width), (i % width) - (j % width)),
        );
    return least;
  });
}

// One row of 2048 / 128 = 16 pixels: each stands for 128 pixels of a Cityscapes frame.
const row = (values: string) =>
  labelMap(
    1,
    16,
    Array.from(values, (c) => (c === "." ? 255 : Number(c))),
  );
const maps = {
  fine: row("00000000 1111111.".replace(" ", "")),
  coarse: row("000..... .1110..0".replace(" ", "")),
  prediction: row("0010000 111111110".replace(" ", "")),
};

describe("errors by what the coarse label said", () => {
  const result = new ErrorSplit({ borderDistance, bands: [129, 257] }).add(maps).result();

  test("right, wrong, void; nothing where the fine label is ignored", () => {
    // Right: 0-2 (error at 2), 9-11. Wrong: 12. Void: 3-7 (error at 7), 8, 13, 14.
    expect(result.byState).toEqual({
      right: { pixels: 6, errors: 1, rate: 1 / 6 },
      wrong: { pixels: 1, errors: 0, rate: 0 },
      void: { pixels: 8, errors: 1, rate: 1 / 8 },
    });
    expect(result.all).toEqual({ pixels: 15, errors: 2, rate: 2 / 15 });
  });

  test("four groups are all pixels", () => {
    expect(result.groups).toEqual({
      right: { pixels: 6, errors: 1, rate: 1 / 6 },
      wrong: { pixels: 1, errors: 0, rate: 0 },
      voidNearBorder: { pixels: 0, errors: 0, rate: Number.NaN },
      voidElsewhere: { pixels: 8, errors: 1, rate: 1 / 8 },
    });
  });

  test("bands by the distance in a frame 2,048 wide", () => {
    // 1 pixel = 128: pixels 7, 8 and 14 are in the first band, 6, 9 and 13 in the second.
    expect(result.bands.map(({ from, to, all }) => [from, to, all.pixels, all.errors])).toEqual([
      [0, 129, 3, 1],
      [129, 257, 3, 0],
      [257, Infinity, 9, 1],
    ]);
    expect(result.bands[0]!.byState.wrong).toEqual({ pixels: 0, errors: 0, rate: Number.NaN });
  });

  test("as a table", () => {
    expect(
      errorSplitTable(result),
    ).toBe(`where the errors are, in percent             error rate  of all pixels  of all errors
coarse label right                                16.67          40.00          50.00
coarse label wrong                                 0.00           6.67           0.00
coarse label void, within 10 px of a border           –           0.00           0.00
coarse label void, elsewhere                      12.50          53.33          50.00
all                                               13.33         100.00         100.00

px from a border  coarse right  coarse wrong   coarse void            all
0 to 129             no pixels     no pixels  33.33 (20.0)   33.33 (20.0)
129 to 257          0.00 (6.7)     no pixels   0.00 (13.3)    0.00 (20.0)
257 and more      20.00 (33.3)    0.00 (6.7)   0.00 (20.0)   11.11 (60.0)
all               16.67 (40.0)    0.00 (6.7)  12.50 (53.3)  13.33 (100.0)
Errors in percent (percent of all pixels); px of a frame 2048 wide.
`);
  });
});

test("void pixels within 10 px of a border, of a frame 2,048 wide, are told from those elsewhere", () => {
  // Of 256 pixels each stands for 8: the border is 4 px from the two pixels beside it, and 12 from the next.
  const map = (at: (i: number) => number) =>
    labelMap(
      1,
      256,
      Array.from({ length: 256 }, (_, i) => at(i)),
    );
  const maps = { fine: map((i) => (i < 128 ? 0 : 1)), coarse: map(() => 255), prediction: map(() => 0) };
  const { groups } = new ErrorSplit({ borderDistance }).add(maps).result();
  expect(groups.voidNearBorder).toEqual({ pixels: 2, errors: 1, rate: 0.5 });
  expect(groups.voidElsewhere).toEqual({ pixels: 254, errors: 127, rate: 0.5 });
});

test("an image of one class lies in the last band", () => {
  const one = row("0000000000000000");
  const { bands } = new ErrorSplit({ borderDistance })
    .add({ fine: one, coarse: one, prediction: one })
    .result();
  expect(bands.at(-1)).toMatchObject({ from: 130, to: Infinity, all: { pixels: 16 } });
});

test("sizes must agree and bounds rise", () => {
  const small = labelMap(1, 1, [0]);
  expect(() => new ErrorSplit({ borderDistance }).add({ ...maps, coarse: small })).toThrow(
    /a coarse label of the label's size/,
  );
  expect(() => new ErrorSplit({ borderDistance }).add({ ...maps, prediction: small })).toThrow(
    /a prediction of/,
  );
  expect(() => new ErrorSplit({ borderDistance, bands: [2, 2] })).toThrow(/rising bounds, got \[2, 2\]/);
});
