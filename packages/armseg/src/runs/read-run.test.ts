import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CheckpointIndex } from "./checkpoint-index.ts";
import { finishedEvaluation, readRun } from "./read-run.ts";
import { createRun } from "./run-folder.ts";
import { RunLog } from "./run-log.ts";
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

test("only the scores of the last iteration are those of a finished run, and only with its checkpoint and samples", async () => {
  const folder = join(temporaryFolder(), "run");
  expect(finishedEvaluation(folder)).toBeUndefined();
  using run = createRun(folder, "seed: 1\n");
  using log = new RunLog(run.paths);
  const evaluation = { kind: "evaluation", split: "val", images: 1, aAcc: 1, mAcc: 1, iou: [1] } as const;
  log.log({ kind: "run", iteration: 0, iterations: 9, classes: [], facts: {} });
  log.log({ ...evaluation, iteration: 5, mIoU: 0.5 });
  expect(finishedEvaluation(folder)).toBeUndefined();
  log.log({ ...evaluation, iteration: 9, mIoU: 0.25 });
  expect(finishedEvaluation(folder)).toBeUndefined(); // killed before the checkpoint
  const checkpoints = new CheckpointIndex(run.paths.checkpoints, { keepLast: 1 });
  await checkpoints.save(9, (path) => {
    writeFileSync(path, "");
    return undefined;
  });
  expect(finishedEvaluation(folder)).toBeUndefined(); // killed before the samples
  log.log({ kind: "sample", iteration: 9, name: "a", files: {} });
  expect(finishedEvaluation(folder)?.mIoU).toBe(0.25);
});
