import { join } from "node:path";
import { expect, test } from "vitest";
import { readRun } from "./read-run.ts";
import { createRun } from "./run-folder.ts";
import { temporaryFolder } from "./testing/folders.ts";

test("a run that has only begun can be read, also while it is in use", () => {
  const folder = join(temporaryFolder(), "first");
  using run = createRun(folder, "seed: 1\n");
  expect(readRun(folder)).toEqual({
    name: "first",
    paths: run.paths,
    config: "seed: 1\n",
    environments: [],
    records: [],
    checkpoints: [],
  });
});

test("a folder without a run is named", () => {
  const folder = temporaryFolder();
  expect(() => readRun(folder)).toThrow(`${folder} must hold a run`);
});
