import { expect, test } from "vitest";
import type { PthValue } from "./pth/tree.ts";
import type { RawTensor } from "./raw-tensor.ts";
import { stateDictOf } from "./state-dict-of.ts";

const tensor: RawTensor = { dtype: "uint8", shape: [1], data: Uint8Array.of(1) };
const dict = (...entries: [PthValue, PthValue][]) => new Map(entries);
const weights = dict(["module.conv.weight", tensor], ["module.conv.bias", tensor]);

test.each([
  ["the value itself", weights],
  ["under state_dict", dict(["epoch", 3], ["state_dict", weights])],
  ["under model_state_dict", dict(["model_state_dict", weights])],
  ["under model", dict(["model", weights], ["optimizer", dict()])],
  ["under module", dict(["module", weights])],
  ["under two of them", dict(["model", dict(["state_dict", weights])])],
  ["beside a loose tensor", dict(["best", tensor], ["state_dict", weights])],
])("the state dict is found %s, its names as they are", (_, tree) => {
  expect([...stateDictOf(tree).keys()]).toEqual(["module.conv.weight", "module.conv.bias"]);
});

test("state_dict goes before model", () => {
  const other = dict(["other", tensor]);
  expect([...stateDictOf(dict(["model", other], ["state_dict", weights])).keys()]).toHaveLength(2);
});

test("a weight named like a wrapping is a weight", () => {
  expect([...stateDictOf(dict(["model", tensor], ["bias", tensor])).keys()]).toEqual(["model", "bias"]);
});

test("what is found instead is said", () => {
  expect(() => stateDictOf([1, 2])).toThrow(
    /stateDictOf\(\): expected a dict .* got a list of 2; pass that part/,
  );
  expect(() => stateDictOf(dict(["net", weights], ["epoch", 1]))).toThrow(
    /got a dict of 2 with the keys "net", "epoch";/,
  );
  expect(() => stateDictOf(dict(["w", tensor], ["epoch", 1]))).toThrow(
    /got a number under "epoch"; remove it/,
  );
  expect(() => stateDictOf(dict([7, tensor]))).toThrow(/under 7; remove it/);
});
