import { createRequire } from "node:module";
import { afterEach, beforeEach, expect } from "vitest";
import { memory, openScope } from "../src/scope.ts";

/** Whether the test file has loaded the native binding; one that has not must not do so because of this check. */
function usesTensors(): boolean {
  const loaded = Object.keys(createRequire(import.meta.url).cache);
  return loaded.some((path) => path.endsWith("armseg_torch.node"));
}

let endScope = (): void => {};
let before = 0;

// Each test is a scope, so that it may make tensors freely; what it keeps (a module's parameters, an optimizer's state)
// it must dispose, best by `using`.
beforeEach(() => {
  before = usesTensors() ? memory().tensors : 0;
  endScope = openScope();
});

afterEach(() => {
  endScope();
  if (!usesTensors()) return;
  expect(
    memory().tensors,
    "live tensors after the test: it keeps some that it does not dispose",
  ).toBeLessThanOrEqual(before);
});
