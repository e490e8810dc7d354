import { inferenceMode, ops } from "@armseg/torch";
import { expect, test } from "vitest";
import { differenceReason, unsupportedDeviceReason, unsupportedReason } from "./devices.ts";

test("logits that the kernels take, and others with the reason", () => {
  using float32 = ops.zeros([1, 2, 1, 1]);
  using float64 = ops.zeros([1, 2, 1, 1], { dtype: "float64" });
  using many = ops.zeros([1, 257, 1, 1]);
  expect(unsupportedReason(float32)).toBeNull();
  expect(unsupportedReason(float64)).toBe("float64 logits");
  expect(unsupportedReason(many)).toBe("257 classes; the kernels take 256");
  expect(unsupportedDeviceReason("mps")).toBe("logits on mps; the kernels run on the CPU and on CUDA");
});

test("a GPU that is not there is a reason, told at once and again", () => {
  const reason = unsupportedDeviceReason("cuda:63");
  expect(reason).toMatch(/^[^\n]+; [^\n]+$/);
  expect(unsupportedDeviceReason("cuda:63")).toBe(reason);
});

test("a device's numbers agree with themselves, in whatever mode", () => {
  expect(differenceReason("cpu", "cpu")).toBeNull();
  expect(inferenceMode(() => differenceReason("cpu", "cpu"))).toBeNull();
});
