import { ops, type Tensor } from "@armseg/torch";
import { expect, test } from "vitest";
import { GraphBuilder } from "./graph-builder.ts";
import { symbolicTrace, type Value, VaryingInteger } from "./symbolic-trace.ts";

const inputs = (): [Tensor, Tensor] => [ops.ones([1, 3, 6, 10]), ops.ones([2, 3, 8, 14])];

test("numbers that follow the image vary, others are constant", () => {
  const { calls, input } = symbolicTrace(inputs(), (x) => [x.reshape([x.size(0), 3, x.size(2) * x.size(3)])]);
  expect(input.shapes).toEqual([
    [1, 3, 6, 10],
    [2, 3, 8, 14],
  ]);
  expect(calls[0]!.arguments.shape).toEqual([new VaryingInteger([1, 2]), 3, new VaryingInteger([60, 112])]);
});

test("a size is taken from the newest tensor that has it; one that none has is refused", () => {
  const graph = new GraphBuilder();
  const value = (first: number[], second: number[]): Value => ({
    shapes: [first, second],
    dtype: "float32",
    source: null,
  });
  graph.define(value([1, 3, 6, 10], [2, 3, 8, 14]), "images");
  graph.define(value([1, 8, 3, 5], [2, 8, 4, 7]), "half");
  graph.integer(new VaryingInteger([5, 7]));
  graph.integer(new VaryingInteger([6, 8]));
  expect(graph.nodes.map(({ opType, input }) => [opType, input[0]])).toEqual([
    ["Shape", "half"],
    ["Gather", "Shape_0"],
    ["Shape", "images"],
    ["Gather", "Shape_1"],
  ]);
  expect(() => graph.integer(new VaryingInteger([7, 9]))).toThrow(
    /expected a size that follows the image to be that of a tensor, got 7 and 9/,
  );
});

test("a network that chooses its operators by the size is refused", () => {
  expect(() => symbolicTrace(inputs(), (x) => [x.size(2) > 6 ? x.relu() : x.sigmoid()])).toThrow(
    /expected the same operators at every size of the image, got aten::sigmoid and aten::relu as number 1/,
  );
  expect(() => symbolicTrace(inputs(), (x) => [x.size(2) > 6 ? x.relu() : x])).toThrow(
    /got nothing and aten::relu as number 1/,
  );
});
