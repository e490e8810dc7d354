import { isCudaAvailable } from "@armseg/torch";
import { expect, test } from "vitest";
import { checkConfig } from "../config/read-config.ts";
import { prepareProcess, warnOfMissingKernels } from "./prepare-process.ts";

test.skipIf(isCudaAvailable())("a GPU that libtorch does not see is an error before anything is read", () => {
  const config = checkConfig(
    { data: { format: "cityscapes", root: "r" }, training: { device: "cuda" } },
    "a test",
  );
  expect(() => prepareProcess(config, () => {})).toThrow(
    /^training\.device is cuda, and libtorch \d.* sees no GPU here.*armseg setup --cuda.*training\.device=cpu$/,
  );
});

test("says once that the fused operators are missing, and nothing where they are there", () => {
  const said: string[] = [];
  warnOfMissingKernels(null, (text) => said.push(text));
  warnOfMissingKernels("they were not built; run `npx armseg setup`", (text) => said.push(text));
  expect(said).toEqual([
    "the fused operators are not used: they were not built; run `npx armseg setup`; the loss takes up to a hundred times longer without them",
  ]);
});
