import fc from "fast-check";
import { expect, test } from "vitest";
import { parseExactly, stringifyExactly } from "./json-numbers.ts";

test("every float64 returns bitwise", () => {
  fc.assert(
    fc.property(fc.array(fc.double()), (numbers) => {
      const back = parseExactly(stringifyExactly({ numbers })) as { numbers: number[] };
      expect(back.numbers.length).toBe(numbers.length);
      // Object.is tells -0 from 0 and knows NaN.
      expect(back.numbers.every((value, i) => Object.is(value, numbers[i]))).toBe(true);
    }),
  );
});

test("the four numbers that JSON lacks are written as strings", () => {
  const text = stringifyExactly([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 0]);
  expect(text).toBe('["NaN","Infinity","-Infinity","-0",0]');
});

test("text that reads like a number returns as text", () => {
  const names = ["NaN", "~NaN", "~~-0", "-Infinity", "~", "~road", "NaN "];
  expect(parseExactly(stringifyExactly({ names, iou: Number.NaN }))).toEqual({ names, iou: Number.NaN });
});
