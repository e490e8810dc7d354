import { describe, expect, test } from "vitest";
import { isTraced, nn, noGrad, ops, type Tensor, type TracedValue, tensor, tidy, trace } from "./index.ts";

describe("trace", () => {
  test("records operators with their arguments by name, and the tensors that none of them made", () => {
    using conv = new nn.Conv2d(1, 2, 3, { padding: 1 });
    const recorded = noGrad(() => trace(ops.ones([1, 1, 4, 5]), (x) => [conv.call(x).relu()]));
    expect(recorded.calls.map(({ operator }) => operator)).toEqual(["aten::conv2d", "aten::relu"]);
    const [conv2d, relu] = recorded.calls;
    expect(conv2d!.arguments).toMatchObject({ input: recorded.input, padding: [1, 1], groups: 1 });
    expect((conv2d!.arguments.weight as TracedValue).source).toBe(conv.weight);
    expect(conv2d!.results).toEqual([{ shape: [1, 2, 4, 5], dtype: "float32", source: null }]);
    expect(relu!.arguments).toEqual({ self: conv2d!.results[0] });
    expect(recorded.outputs).toEqual([relu!.results[0]]);
  });

  test("makes a new value of a tensor that is written to in place", () => {
    const { calls, input, outputs } = trace(tensor([-1, 2]), (x) => {
      const doubled = x.mul(2);
      doubled.relu_();
      return [doubled];
    });
    const [product, relu] = calls;
    expect(product!.arguments.self).toBe(input);
    expect(relu!.arguments.self).toBe(product!.results[0]);
    expect(outputs[0]).toBe(relu!.results[0]);
    expect(outputs[0]).not.toBe(product!.results[0]);
  });

  test("follows tensors into and out of lists, and after they were freed", () => {
    const { calls } = trace(tensor([1, 2, 3, 4]), (x) => {
      const [first, second] = tidy(() => x.mul(2).chunk(2)) as unknown as [Tensor, Tensor];
      return [ops.cat([second, first])];
    });
    const [, chunk, cat] = calls;
    const [first, second] = chunk!.results[0] as TracedValue[];
    expect(cat!.arguments.tensors).toEqual([second, first]);
  });

  test("ends with its body, also where that fails, and is told to code inside", () => {
    expect(isTraced()).toBe(false);
    expect(() =>
      trace(tensor([1]), () => {
        expect(isTraced()).toBe(true);
        throw new Error("no");
      }),
    ).toThrow("no");
    expect(isTraced()).toBe(false);
    const { calls } = trace(tensor([1]), (x) => [x]);
    tensor([1]).add(1);
    expect(calls).toEqual([]);
  });
});
