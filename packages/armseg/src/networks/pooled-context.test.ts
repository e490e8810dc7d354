import { ops, tidy } from "@armseg/torch";
import { describe, expect, test } from "vitest";
import { PooledConv2d } from "./pooled-context.ts";

describe.each([1, 3] as const)("a convolution of %i pixels over a pooled vector and a map", (size) => {
  test.each([
    [5, 7],
    [3, 3],
    [2, 6],
    [1, 1],
  ])("is the convolution of both, spread and joined, at %ix%i", (height, width) => {
    using convolution = new PooledConv2d(6, 4, size, { padding: (size - 1) / 2, bias: false });
    tidy(() => {
      const pooled = ops.randn([2, 2, 1, 1]);
      const map = ops.randn([2, 4, height, width]);
      const joined = ops.cat([pooled.expand([-1, -1, height, width]), map], 1);
      const error = convolution.join(pooled, map).sub(convolution.call(joined)).abs().max().item();
      expect(error).toBeLessThan(1e-5);
    });
  });
});
