import fc from "fast-check";
import { expect, test } from "vitest";
import { flipRows_ } from "./flip.ts";

test("rows are mirrored, pixels stay whole", () => {
  expect([...flipRows_(Uint8Array.of(1, 2, 3, 4, 5, 6), 3, 2)]).toEqual([5, 6, 3, 4, 1, 2]);
  expect([...flipRows_(Float32Array.of(1, 2, 3, 4), 2, 1)]).toEqual([2, 1, 4, 3]);
});

test("mirroring twice changes nothing", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), (height, width) => {
      const data = Uint8Array.from({ length: height * width * 3 }, (_, i) => i);
      expect(flipRows_(flipRows_(data.slice(), width, 3), width, 3)).toEqual(data);
    }),
  );
});
