import fs from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readMetrics } from "./metrics.ts";
import type { MetricsRecord, RunRecord } from "./records.ts";
import { createRun, type RunPaths } from "./run-folder.ts";
import { RunLog } from "./run-log.ts";
import { shownEvents } from "./testing/event-file.ts";
import { temporaryFolder } from "./testing/folders.ts";
import { tensorBoardGolden } from "./testing/tensorboard-golden.ts";

const RUN: RunRecord = {
  kind: "run",
  iteration: 0,
  iterations: 4,
  classes: [
    { name: "road", color: [128, 64, 128] },
    { name: "sky", color: [70, 130, 180] },
  ],
  facts: { network: "small" },
};

function recordsOf(iteration: number): MetricsRecord[] {
  return [
    { kind: "train", iteration, loss: 0.5 * iteration, meanLoss: 2, learningRate: 0.25 },
    { kind: "timing", iteration, iterationSeconds: 1.5 },
    { kind: "event", iteration, event: "emptyBatch", message: "no valid pixel" },
    {
      kind: "curve",
      iteration,
      p: 2,
      knots: [-1, 0, 1],
      weights: [1, 0.5, 0],
      meanLossPerBin: [2, 1],
      countPerBin: [3, 9],
    },
    {
      kind: "evaluation",
      iteration,
      split: "val",
      images: 2,
      aAcc: 0.75,
      mAcc: 0.5,
      mIoU: 0.25,
      iou: [0.125, 0.375],
    },
    { kind: "sample", iteration, name: "a", files: { image: "figures/a.png" } },
  ];
}

function newRun(): RunPaths {
  const run = createRun(join(temporaryFolder(), "run"), "seed: 1\n");
  fs.writeFileSync(join(run.paths.figures, "a.png"), Buffer.from(tensorBoardGolden.png, "hex"));
  run[Symbol.dispose]();
  return run.paths;
}

test("every record reaches the log, and TensorBoard gets what it can show, under the classes' names", () => {
  const paths = newRun();
  const records = [RUN, ...recordsOf(1)];
  {
    using log = new RunLog(paths);
    for (const record of records) log.log(record);
    log.flush();
  }
  expect(readMetrics(paths.metrics)).toEqual(records);
  const shown = Object.assign({}, ...shownEvents(paths.tensorboard).map(({ values }) => values));
  expect(shown).toEqual({
    "train/loss": 0.5,
    "train/meanLoss": 2,
    "train/learningRate": 0.25,
    "timing/iterationSeconds": 1.5,
    "curve/W(u)": "histogram",
    "curve/pixels(u)": "histogram",
    "evaluation/val/aAcc": 0.75,
    "evaluation/val/mAcc": 0.5,
    "evaluation/val/mIoU": 0.25,
    "IoU/val/road": 0.125,
    "IoU/val/sky": 0.375,
    "samples/a/image": "image",
  });
});

test("an interrupted and resumed log equals an undisturbed one, in both files", () => {
  const log = (paths: RunPaths, from: number, to: number, resumeAt?: number) => {
    using runLog = new RunLog(paths, resumeAt === undefined ? {} : { resumeAt });
    // The trainer need not know whether the log has its head already.
    runLog.log(RUN);
    for (let i = from; i <= to; i++) for (const record of recordsOf(i)) runLog.log(record);
  };
  const whole = newRun();
  log(whole, 1, 4);
  const resumed = newRun();
  log(resumed, 1, 3);
  log(resumed, 3, 4, 2);
  expect(fs.readFileSync(resumed.metrics).equals(fs.readFileSync(whole.metrics))).toBe(true);
  expect(shownEvents(resumed.tensorboard)).toEqual(shownEvents(whole.tensorboard));
});

test("a second log in one run, without resuming, is refused", () => {
  const paths = newRun();
  new RunLog(paths)[Symbol.dispose]();
  expect(() => new RunLog(paths)).toThrow("EEXIST");
});
