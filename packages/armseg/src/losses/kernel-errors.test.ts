import { expect, test } from "vitest";
import { namingErrors } from "./kernel-errors.ts";
import { LabelRangeError } from "./labels.ts";
import { NonFiniteLossError } from "./pixel-maps.ts";

const failing = (message: string) => () =>
  namingErrors(() => {
    throw new Error(message);
  });

test("the kernel's errors get the classes of the composed loss", () => {
  expect(failing("armseg::x(): label 9 at image 0")).toThrow(LabelRangeError);
  expect(failing("armseg::x(): label 9 at image 0 (in an earlier call on this device)")).toThrow(
    LabelRangeError,
  );
  expect(failing("armseg::x(): the loss is not finite at image 0")).toThrow(NonFiniteLossError);
  expect(failing("out of memory")).toThrow("out of memory");
});

test("a loss that was not finite in an earlier call does not cost this one", () => {
  const late =
    "armseg::x(): the loss is not finite at image 0 (in an earlier call on this device, which returned NaN)";
  const problems = [late];
  const call = () => {
    const problem = problems.pop();
    if (problem) throw new Error(problem);
    return "sound";
  };
  expect(namingErrors(call)).toBe("sound");
});
