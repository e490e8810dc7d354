import fc from "fast-check";
import { expect, test } from "vitest";
import { findHiddenJsonProblem } from "./safetensors-header.ts";

test("a key given twice is found, under any escapes, in any object", () => {
  expect(findHiddenJsonProblem('{"a":1,"a":2}', 9)).toContain('"a" twice');
  expect(findHiddenJsonProblem(String.raw`{"a":1,"\u0061" :2}`, 9)).toContain("twice");
  expect(findHiddenJsonProblem('[{"b":{}},{"x":{"c":1,"d":2,"c":3}}]', 9)).toContain('"c" twice');
});

test("equal keys of different objects, equal values and escaped quotes are no problem", () => {
  expect(findHiddenJsonProblem('{"a":{"b":1},"c":{"b":1}}', 9)).toBeUndefined();
  expect(findHiddenJsonProblem('{"a":"a","b":["a","a"]}', 9)).toBeUndefined();
  expect(findHiddenJsonProblem(String.raw`{"a\":":1,"a":2}`, 9)).toBeUndefined();
});

test("nesting is bounded before anything is parsed", () => {
  expect(findHiddenJsonProblem('{"a":{"b":[1]}}', 3)).toBeUndefined();
  expect(findHiddenJsonProblem('{"a":{"b":[[1]]}}', 3)).toContain("deeper than 3");
  expect(findHiddenJsonProblem("[".repeat(1_000_000), 3)).toContain("deeper than 3");
});

test("whatever JSON.stringify writes has no problem", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(findHiddenJsonProblem(JSON.stringify(value), 1000)).toBeUndefined();
    }),
  );
});
