import { expect, test } from "vitest";
import { argumentError } from "./argument-error.ts";

test("an argument error names the function, what was expected and what was given, then the remedy", () => {
  expect(argumentError("scaledSize", "a positive scale", -1)).toEqual(
    new RangeError("scaledSize(): expected a positive scale, got -1"),
  );
  expect(argumentError("stack", "logits [N, C, h, w]", [2, 3], "add the batch's dimension").message).toBe(
    "stack(): expected logits [N, C, h, w], got [2, 3]; add the batch's dimension",
  );
});
