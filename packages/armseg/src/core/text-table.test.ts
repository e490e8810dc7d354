import { expect, test } from "vitest";
import { textTable } from "./text-table.ts";

test("the first column is set to the left, the others to the right, without blanks at the end", () => {
  expect(
    textTable([
      ["class", "IoU"],
      ["sky", "7"],
      ["sidewalk", ""],
    ]),
  ).toEqual(["class     IoU", "sky         7", "sidewalk"]);
});

test("columns that are named are set to the left, and rows may be short", () => {
  expect(textTable([["1", "a", "b"], ["100"]], { left: [1, 2] })).toEqual(["  1  a  b", "100"]);
  expect(textTable([])).toEqual([]);
});
