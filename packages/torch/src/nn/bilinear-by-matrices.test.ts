import { expect, test } from "vitest";
import { ops } from "../tensor.ts";
import { onTestDevice } from "../testing/test-device.ts";
import { bilinearByMatrices } from "./bilinear-by-matrices.ts";

test.each([
  [[4, 6], [16, 24], false],
  [[5, 7], [13, 9], false],
  [[9, 8], [4, 3], false],
  [[1, 3], [5, 6], false],
  [[4, 6], [15, 1], true],
  [[5, 7], [13, 9], true],
] as [[number, number], [number, number], boolean][])(
  "%j to %j (corners aligned: %s) is ATen's bilinear, gradients included",
  ([h, w], size, alignCorners) => {
    const x = onTestDevice(ops.randn([2, 3, h, w], { dtype: "float64" }));
    const [a, b] = [x.clone().requiresGrad_(), x.clone().requiresGrad_()];
    const ours = bilinearByMatrices(a, size, { alignCorners });
    const theirs = ops.upsampleBilinear2d(b, size, alignCorners, null);
    const upstream = onTestDevice(ops.randn(theirs.shape, { dtype: "float64" }));
    ours.backward(upstream);
    theirs.backward(upstream);
    expect(ours.sub(theirs).abs().max().item()).toBeLessThan(1e-12);
    expect(a.grad!.sub(b.grad!).abs().max().item()).toBeLessThan(1e-12);
  },
);

test("a factor places pixels as ATen does with a factor", () => {
  const x = onTestDevice(ops.randn([1, 1, 5, 4], { dtype: "float64" }));
  const ours = bilinearByMatrices(x, [7, 10], { factors: [1.5, 2.5] });
  expect(
    ours
      .sub(ops.upsampleBilinear2d(x, null, false, [1.5, 2.5]))
      .abs()
      .max()
      .item(),
  ).toBeLessThan(1e-12);
});
