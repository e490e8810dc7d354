import { expect, test } from "vitest";
import { type Mask, removeHoles_, traceOutline } from "./outline.ts";
import { simplifyOutline } from "./simplify.ts";

function mask(...rows: readonly string[]): Mask {
  const padded = ["", ...rows, ""].map((row) => `.${row.padEnd(rows[0]!.length, ".")}.`);
  return {
    height: padded.length,
    width: padded[0]!.length,
    data: Uint8Array.from(padded.join(""), (c) => (c === "#" ? 1 : 0)),
  };
}

const picture = ({ width, data }: Mask): string[] =>
  Array.from({ length: data.length / width }, (_, row) =>
    [...data.subarray(row * width, (row + 1) * width)].map((v) => (v ? "#" : ".")).join(""),
  );

test("the outline runs clockwise over the border pixels", () => {
  expect(traceOutline(mask("###", "###", "###"))).toEqual([
    [1, 1],
    [2, 1],
    [3, 1],
    [3, 2],
    [3, 3],
    [2, 3],
    [1, 3],
    [1, 2],
  ]);
  expect(traceOutline(mask("#"))).toEqual([[1, 1]]);
  expect(traceOutline(mask("###"))).toEqual([
    [1, 1],
    [2, 1],
    [3, 1],
    [2, 1],
  ]);
});

test("small holes are filled, larger ones opened by the shortest cut", () => {
  const small = mask("###", "#.#", "###");
  removeHoles_(small, 1);
  expect(picture(small)).toEqual([".....", ".###.", ".###.", ".###.", "....."]);
  const large = mask("#####", "#..##", "#####", "#####");
  removeHoles_(large, 1);
  expect(large.data.reduce((sum, v) => sum + v, 0)).toBe(17);
});

test("corners on straight lines go, three stay", () => {
  const square = traceOutline(mask("####", "####", "####", "####"));
  expect(simplifyOutline(square, 0.5)).toEqual([
    [1, 1],
    [4, 1],
    [4, 4],
    [1, 4],
  ]);
  expect(simplifyOutline(square, 100)).toHaveLength(3);
  expect(simplifyOutline([[1, 1]], 1)).toEqual([[1, 1]]);
});
