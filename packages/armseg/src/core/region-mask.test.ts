import fc from "fast-check";
import { expect, test } from "vitest";
import { regionMaskSchema } from "../runs/audit/region-mask-schema.ts";
import { fillMask_, maskArea, maskStretches, regionMask } from "./region-mask.ts";

test("runs go along the rows of the box, outside first", () => {
  const inside = new Set(["1,2", "1,3", "2,1"]);
  const mask = regionMask({ top: 1, left: 1, height: 2, width: 3 }, (row, column) =>
    inside.has(`${row},${column}`),
  );
  expect(mask).toEqual({ top: 1, left: 1, height: 2, width: 3, runs: [1, 3, 2] });
  expect(maskArea(mask)).toBe(3);
  // The run of three wraps to the next row of the box.
  expect([...maskStretches(mask, 10)]).toEqual([
    [12, 2],
    [21, 1],
  ]);
  const image = { height: 4, width: 5, data: new Uint8Array(20) };
  fillMask_(image, mask, 7);
  expect([...image.data.keys()].filter((i) => image.data[i] === 7)).toEqual([7, 8, 11]);
});

test("what was encoded is filled again, whatever the shape", () => {
  const side = fc.integer({ min: 1, max: 9 });
  fc.assert(
    fc.property(
      side,
      side,
      fc.array(fc.boolean(), { minLength: 81, maxLength: 81 }),
      (height, width, bits) => {
        const mask = regionMask({ top: 2, left: 1, height, width }, (row, column) =>
          Boolean(bits[(row - 2) * width + column - 1]),
        );
        expect(regionMaskSchema.parse(mask)).toEqual(mask);
        const image = { height: 12, width: 12, data: new Uint8Array(144) };
        fillMask_(image, mask, 1);
        const expected = new Uint8Array(144);
        for (let i = 0; i < height * width; i++)
          if (bits[i]) expected[(2 + Math.floor(i / width)) * 12 + 1 + (i % width)] = 1;
        expect(image.data).toEqual(expected);
      },
    ),
  );
});

test("runs that do not add up, and masks beyond the image, are refused", () => {
  const box = { top: 0, left: 0, height: 2, width: 2 };
  expect(() => regionMaskSchema.parse({ ...box, runs: [1, 2] })).toThrow(
    /runs of 4 pixels together \(2x2\), got 3/,
  );
  expect(() => regionMaskSchema.parse({ ...box, runs: [-1, 5] })).toThrow();
  const image = { height: 2, width: 2, data: new Uint8Array(4) };
  expect(() => fillMask_(image, { ...box, left: 1, runs: [0, 4] }, 1)).toThrow(
    /within 2x2 pixels.*2x2 at row 0, column 1/,
  );
  expect([...image.data]).toEqual([0, 0, 0, 0]);
});
