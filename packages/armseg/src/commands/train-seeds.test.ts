import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkConfig } from "../config/read-config.ts";
import type { Config } from "../config/schema.ts";
import { CheckpointIndex } from "../runs/checkpoint-index.ts";
import { createRun } from "../runs/run-folder.ts";
import { RunLog } from "../runs/run-log.ts";
import type { RunControl, RunResult } from "./train.ts";
import { seedsText, trainSeeds } from "./train-seeds.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "armseg-seeds-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const config = (name: string) =>
  checkConfig({ name, data: { format: "scenes" }, training: { seed: 4 } }, "test");

/** A trainer whose score is a function of name and seed; it writes the log that a real one writes. */
function fakeTrainer(done: string[]) {
  return async ({ name, training }: Config, control: RunControl): Promise<RunResult> => {
    const score = (name.startsWith("arm") ? 0.6 : 0.5) + 0.01 * training.seed;
    using run = createRun(control.folder, "name: x\n");
    using log = new RunLog(run.paths);
    const evaluation = {
      kind: "evaluation",
      iteration: 9,
      split: "val",
      images: 1,
      aAcc: 1,
      mAcc: 1,
      mIoU: score,
      iou: [score],
    } as const;
    log.log({
      kind: "run",
      iteration: 0,
      iterations: 9,
      classes: [{ name: "a", color: [0, 0, 0] }],
      facts: {},
    });
    log.log(evaluation);
    const checkpoints = new CheckpointIndex(run.paths.checkpoints, { keepLast: 1 });
    await checkpoints.save(9, (path) => {
      writeFileSync(path, "");
      return undefined;
    });
    log.log({ kind: "sample", iteration: 9, name: "a", files: {} });
    done.push(control.folder.slice(folder.length + 1));
    return {
      folder: control.folder,
      iteration: 9,
      iterations: 9,
      processes: 1,
      isComplete: true,
      evaluation,
      best: evaluation,
    };
  };
}

test("trains seed by seed, every configuration with the same seeds, and compares in pairs", async () => {
  const done: string[] = [];
  const result = await trainSeeds([config("base"), config("arm")], {
    folder,
    seeds: 2,
    stream: null,
    train: fakeTrainer(done),
  });
  expect(done).toEqual(["base/seed-4", "arm/seed-4", "base/seed-5", "arm/seed-5"]);
  expect(result.isComplete).toBe(true);
  expect(result.comparisons[1]!.difference!.mean).toBeCloseTo(0.1, 12);
  const { json, page } = result.files!;
  expect(JSON.parse(readFileSync(json, "utf8"))).toMatchObject({
    isComplete: true,
    comparisons: [
      { name: "base", scores: [0.54, 0.55] },
      { name: "arm", scores: [0.64, 0.65] },
    ],
  });
  expect(readFileSync(page, "utf8")).toMatch(/Over the seeds[\s\S]*base\/seed-4[\s\S]*arm\/seed-5/);
  expect(seedsText(result)).toMatch(/base +54\.50 +0\.71[\s\S]*arm +64\.50 +0\.71 +\+10\.00/);
});

test("a finished run is not run again when resumed", async () => {
  const done: string[] = [];
  const options = { folder, stream: null, train: fakeTrainer(done) };
  await trainSeeds([config("base")], { ...options, seeds: 1 });
  const result = await trainSeeds([config("base")], { ...options, seeds: 3, isResumed: true });
  expect(done).toEqual(["seed-4", "seed-5", "seed-6"]);
  expect(result.comparisons[0]!.scores).toHaveLength(3);
});

test("a signal stops before the next run and keeps what is done", async () => {
  const done: string[] = [];
  const controller = new AbortController();
  const train = fakeTrainer(done);
  const result = await trainSeeds([config("base")], {
    folder,
    seeds: 3,
    stream: null,
    signal: controller.signal,
    train: async (seeded, control) => {
      controller.abort();
      return await train(seeded, control);
    },
  });
  expect(result.isComplete).toBe(false);
  expect(result.comparisons[0]!.scores).toHaveLength(1);
});

test("two configurations of one name are refused", async () => {
  await expect(trainSeeds([config("a"), config("a")], { folder, seeds: 1 })).rejects.toThrow(
    /two configurations are named a/,
  );
});
