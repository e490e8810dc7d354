import { gradients, manualSeed, noGrad, ops, type Tensor, tidy } from "@armseg/torch";
import { expect, test } from "vitest";
import { SegmentationLoss } from "../losses/index.ts";
import { CoverageOffset } from "./coverage-offset.ts";

test("holds ln c once it is set, and refuses what is no share", () => {
  using offset = new CoverageOffset(2);
  expect(offset.offset).toBeNull();
  offset.set([1, 0.25]);
  expect(offset.coverage).toEqual([1, 0.25]);
  expect(offset.offset?.toArray()).toEqual([0, expect.closeTo(Math.log(0.25), 6)]);
  expect(() => offset.set([1])).toThrow("expected 2 shares in (0, 1], one per class, got [1]");
  expect(() => offset.set([1, 0])).toThrow(/got \[1, 0\]/);
});

test("labels that are missing by class: the offset recovers the class frequencies, plain cross entropy does not", () => {
  // 40 % of the pixels are class 1, of which the annotator labels a quarter; the network sees nothing but a constant image
  const [share, coverage] = [0.4, 0.25];
  using offset = new CoverageOffset(2);
  offset.set([1, coverage]);
  const estimate = (isCorrected: boolean) =>
    tidy(() => {
      manualSeed(0);
      const size = [1, 64, 64];
      const classes = ops.rand(size).lt(share);
      const missing = classes.logicalAnd(ops.rand(size).gt(coverage));
      const labels = classes.to("uint8").maskedFill(missing, 255);
      const bias = ops.zeros([1, 2, 1, 1]).requiresGrad_();
      const criterion = new SegmentationLoss();
      for (let i = 0; i < 200; i++) {
        const logitOffset = isCorrected ? offset.offset : null;
        const { loss } = criterion.call({ logits: bias.expand([1, 2, 64, 64]), labels, logitOffset });
        const [gradient] = gradients([loss], [bias]);
        noGrad(() => bias.sub_((gradient as Tensor).mul(2)));
      }
      const found = bias.softmax(1).select(1, 1).item();
      const actual = classes.to("float32").mean().item();
      return { found, actual };
    });
  const corrected = estimate(true);
  expect(corrected.found).toBeCloseTo(corrected.actual, 1);
  expect(estimate(false).found).toBeLessThan(0.2); // 0.1 / 0.7
});
