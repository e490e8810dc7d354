import { createRequire } from "node:module";
import { afterEach, beforeEach, expect } from "vitest";

/** Whether the test file has loaded the native binding; one that has not must not do so because of this check. */
function usesTensors(): boolean {
  const loaded = Object.keys(createRequire(import.meta.url).cache);
  return loaded.some((path) => path.endsWith("armseg_torch.node"));
}

let endScope = (): void => {};
let before = 0;

// Each test is a scope, so that it may make tensors freely; what it keeps (a module's parameters, an optimizer's state)
// it must dispose, best by `using`.
beforeEach(async () => {
  if (!usesTensors()) return;
  const { memory, openScope } = await import("../src/scope.ts");
  before = memory().tensors;
  endScope = openScope();
});

afterEach(async () => {
  if (!usesTensors()) return;
  const { memory } = await import("../src/scope.ts");
  endScope();
  endScope = () => {};
  expect(
    memory().tensors,
    "live tensors after the test: it keeps some that it does not dispose",
  ).toBeLessThanOrEqual(before);
});
