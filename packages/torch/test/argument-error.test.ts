import { expect, test } from "vitest";
import { argumentError } from "../src/argument-error.ts";

test("an argument error names the function, what was expected and what was given, then the remedy", () => {
  expect(argumentError("Dropout", "a probability in [0, 1]", 2)).toEqual(
    new RangeError("Dropout(): expected a probability in [0, 1], got 2"),
  );
  expect(argumentError("stack", "at least one tensor", [], "leave the call out").message).toBe(
    "stack(): expected at least one tensor, got []; leave the call out",
  );
});
