import fc from "fast-check";
import { expect, test } from "vitest";
import { distanceToOther } from "./border-distance.ts";

/** By definition: the nearest centre of a pixel that differs, the ring around the frame differing with `frame`. */
function bruteForce(height: number, width: number, data: Uint8Array, frame: boolean): number[] {
  return Array.from(data, (value, i) => {
    const [y, x] = [Math.floor(i / width), i % width];
    let best = frame ? Math.min(y + 1, x + 1, height - y, width - x) : Infinity;
    data.forEach((other, j) => {
      if (other !== value) {
        best = Math.min(best, Math.hypot(Math.floor(j / width) - y, (j % width) - x));
      }
    });
    return best;
  });
}

test("distances equal the definition on random maps", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 12 }),
      fc.boolean(),
      fc.array(fc.constantFrom(0, 0, 0, 0, 0, 1, 2), { minLength: 144, maxLength: 144 }),
      (height, width, frame, values) => {
        const data = Uint8Array.from(values.slice(0, height * width));
        const expected = bruteForce(height, width, data, frame);
        distanceToOther({ height, width, data }, frame).forEach((distance, i) => {
          if (expected[i] === Infinity) {
            expect(distance).toBe(Infinity);
          } else {
            expect(distance).toBeCloseTo(expected[i]!, 5);
          }
        });
      },
    ),
  );
});
