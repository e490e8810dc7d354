import { inferenceMode, ops } from "@armseg/torch";
import { expect, test } from "vitest";
import { whyNoKernels, whyNotOn, whyNumbersDiffer } from "./devices.ts";

test("logits that the kernels take, and others with the reason", () => {
  using float32 = ops.zeros([1, 2, 1, 1]);
  using float64 = ops.zeros([1, 2, 1, 1], { dtype: "float64" });
  using many = ops.zeros([1, 257, 1, 1]);
  expect(whyNoKernels(float32)).toBeNull();
  expect(whyNoKernels(float64)).toBe("float64 logits");
  expect(whyNoKernels(many)).toBe("257 classes; the kernels take 256");
  expect(whyNotOn("mps")).toBe("logits on mps; the kernels run on the CPU and on CUDA");
});

test("a GPU that is not there is a reason, told at once and again", () => {
  const reason = whyNotOn("cuda:63");
  expect(reason).toMatch(/^[^\n]+; [^\n]+$/);
  expect(whyNotOn("cuda:63")).toBe(reason);
});

test("a device's numbers agree with themselves, in whatever mode", () => {
  expect(whyNumbersDiffer("cpu", "cpu")).toBeNull();
  expect(inferenceMode(() => whyNumbersDiffer("cpu", "cpu"))).toBeNull();
});
