import fs from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CheckpointIndex } from "./checkpoint-index.ts";
import { chooseCheckpoint } from "./choose-checkpoint.ts";
import { createRun } from "./run-folder.ts";
import { temporaryFolder } from "./testing/folders.ts";

test("the best, the last, or a file; a folder or nothing in its place is named", async () => {
  const folder = join(temporaryFolder(), "run");
  using run = createRun(folder, "seed: 1\n");
  expect(() => chooseCheckpoint(folder)).toThrow(`${folder} has no checkpoint yet`);
  const index = new CheckpointIndex(run.paths.checkpoints, { keepLast: 3 });
  const write = (path: string) => {
    fs.writeFileSync(path, "");
    return undefined;
  };
  for (const [iteration, score] of [
    [1, 0.5],
    [2, 0.7],
    [3, 0.6],
  ] as const)
    await index.save(iteration, write, score);
  expect(chooseCheckpoint(folder)).toBe(index.path(2));
  expect(chooseCheckpoint(folder, "last")).toBe(index.path(3));
  expect(chooseCheckpoint(folder, index.path(1))).toBe(index.path(1));
  expect(() => chooseCheckpoint(folder, folder)).toThrow(
    `checkpoint ${folder} is a folder; take best, last or the path of a file`,
  );
  expect(() => chooseCheckpoint(folder, join(folder, "none"))).toThrow("none does not exist");
});
