import { expect, test } from "vitest";
import { evenlySpaced, evenlySpacedWithEnds } from "./evenly-spaced.ts";

const letters = [..."abcdefghij"];

test("evenly spaced items are the middles of equal parts; a short list is whole", () => {
  expect(evenlySpaced(letters, 1)).toEqual(["f"]);
  expect(evenlySpaced(letters, 2)).toEqual(["c", "h"]);
  expect(evenlySpaced(letters, 3)).toEqual(["b", "f", "i"]);
  expect(evenlySpaced(letters, 20)).toEqual(letters);
  expect(evenlySpaced([], 3)).toEqual([]);
});

test("with its ends, a list keeps its first and its last item", () => {
  expect(evenlySpacedWithEnds(letters, 2)).toEqual(["a", "j"]);
  expect(evenlySpacedWithEnds(letters, 4)).toEqual(["a", "d", "g", "j"]);
  expect(evenlySpacedWithEnds(letters, 10)).toEqual(letters);
});
