import { inferenceMode } from "@armseg/torch";
import { expect, test } from "vitest";
import { whyNoKernels, whyNumbersDiffer } from "./devices.ts";

test("the processor has kernels; other devices are told why not", () => {
  expect(whyNoKernels("cpu")).toBeNull();
  expect(whyNoKernels("mps")).toBe("tensors on mps; the kernels run on the CPU and on CUDA");
});

test("a GPU that is not there is a reason, told at once and again", () => {
  const reason = whyNoKernels("cuda:63");
  expect(reason).toMatch(/^[^\n]+; [^\n]+$/);
  expect(whyNoKernels("cuda:63")).toBe(reason);
});

test("a device's numbers agree with themselves, in whatever mode", () => {
  expect(whyNumbersDiffer("cpu", "cpu")).toBeNull();
  expect(inferenceMode(() => whyNumbersDiffer("cpu", "cpu"))).toBeNull();
});
