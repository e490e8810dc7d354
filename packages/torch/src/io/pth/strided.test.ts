import fc from "fast-check";
import { expect, test } from "vitest";
import { copyStrided, extentOf, isContiguous, type StridedView } from "./strided.ts";

/** Element by element, as the definition has it. */
function gather(storage: Uint8Array, { shape, stride, offset }: StridedView, size: number): number[] {
  const count = shape.reduce((product, length) => product * length, 1);
  const bytes: number[] = [];
  for (let flat = 0; flat < count; flat++) {
    let rest = flat;
    let at = offset;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += (rest % shape[axis]!) * stride[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    for (let byte = 0; byte < size; byte++) bytes.push(storage[at * size + byte]!);
  }
  return bytes;
}

const SIZES = { uint8: 1, float16: 2, float32: 4, int64: 8 } as const;
const axes = fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.nat(7)), { minLength: 1, maxLength: 4 });
const views = fc.record({
  dtype: fc.constantFrom("uint8", "float16", "float32", "int64"),
  axes,
  offset: fc.nat(5),
});

test("a copied view holds the elements its strides name", () => {
  fc.assert(
    fc.property(views, ({ dtype, axes, offset }) => {
      const view = {
        dtype,
        shape: axes.map(([length]) => length),
        stride: axes.map(([, step]) => step),
        offset,
      };
      const size = SIZES[dtype as keyof typeof SIZES];
      const storage = Uint8Array.from({ length: extentOf(view) * size }, (_, i) => (i * 37) % 251);
      const expected = gather(storage, view, size);
      expect([...copyStrided(storage, view, expected.length)]).toEqual(expected);
      if (isContiguous(view))
        expect(expected).toEqual([...storage.subarray(offset * size, offset * size + expected.length)]);
    }),
  );
});

test("the usual layouts are told apart", () => {
  const view = (shape: number[], stride: number[]) =>
    ({ dtype: "float32", shape, stride, offset: 0 }) as const;
  expect(isContiguous(view([2, 3], [3, 1]))).toBe(true);
  expect(isContiguous(view([2, 3], [1, 2]))).toBe(false);
  expect(isContiguous(view([1, 3], [99, 1]))).toBe(true);
  expect(isContiguous(view([], []))).toBe(true);
  expect(isContiguous(view([0, 3], [7, 7]))).toBe(true);
  expect(isContiguous(view([3], [0]))).toBe(false);
});

test("an extent beyond what can be counted is infinite", () => {
  const view = { dtype: "float32", shape: [2 ** 30, 2 ** 30], stride: [2 ** 30, 1], offset: 0 } as const;
  expect(extentOf(view)).toBe(Number.POSITIVE_INFINITY);
  expect(extentOf({ ...view, shape: [2 ** 30, 0] })).toBe(0);
});
