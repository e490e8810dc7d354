import fs from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readMetrics } from "./metrics.ts";
import { runChild, startChild } from "./testing/child.ts";
import { shownEvents } from "./testing/event-file.ts";
import { temporaryFolder } from "./testing/folders.ts";

/**
 * A trainer without tensors: its state is one number, each iteration's loss depends on it, a checkpoint every 7
 * iterations. It shows the order in which a real trainer uses this folder's modules.
 */
const trainer = (folder: string, iterations: number, pauseMs: number) => `
  import fs from "node:fs";
  import { CheckpointIndex } from "./runs/checkpoint-index.ts";
  import { createRun, isRun, resumeRun } from "./runs/run-folder.ts";
  import { RunLog } from "./runs/run-log.ts";

  const folder = ${JSON.stringify(folder)};
  const resumes = isRun(folder);
  const run = resumes ? resumeRun(folder) : createRun(folder, "seed: 1\\n");
  console.log("ready");
  const checkpoints = new CheckpointIndex(run.paths.checkpoints, { keepLast: 2 });
  const read = (path: string) => JSON.parse(fs.readFileSync(path, "utf8")).state as number;
  const found = await checkpoints.latestValid((path) => void read(path));
  const start = found?.checkpoint.iteration ?? 0;
  let state = found ? read(found.path) : 0.3;
  checkpoints.discardAfter(start);
  const log = new RunLog(run.paths, resumes ? { resumeAt: start } : {});
  log.log({ kind: "run", iteration: 0, iterations: ${iterations}, classes: [], facts: {} });
  for (let iteration = start + 1; iteration <= ${iterations}; iteration++) {
    state = 3.9 * state * (1 - state);
    log.log({ kind: "train", iteration, loss: state, learningRate: 1 / iteration });
    if (iteration % 7 === 0) {
      log.flush();
      await checkpoints.save(iteration, (path) => { fs.writeFileSync(path, JSON.stringify({ state })); return undefined; }, state);
    }
    await new Promise((done) => setTimeout(done, ${pauseMs}));
  }
  log[Symbol.dispose]();
  run[Symbol.dispose]();`;

test("a run killed five times and resumed equals an undisturbed one: log, TensorBoard, checkpoints", async () => {
  const whole = join(temporaryFolder(), "whole");
  const killed = join(temporaryFolder(), "killed");
  expect(runChild(trainer(whole, 60, 0)).status).toBe(0);
  const iteration = () => readMetrics(join(killed, "metrics.jsonl")).at(-1)?.iteration ?? 0;
  const reached: number[] = [];
  for (const target of [0, 9, 16, 28, 40]) {
    const child = await startChild(trainer(killed, 60, 10));
    while (iteration() < target) await new Promise((done) => setTimeout(done, 7));
    await child.kill();
    reached.push(iteration());
  }
  // The kills must have interrupted something, or the test would show nothing.
  expect(Math.min(...reached)).toBeLessThan(60);
  expect(runChild(trainer(killed, 60, 0))).toMatchObject({ status: 0, stderr: "" });
  for (const file of [
    "metrics.jsonl",
    "checkpoints/index.json",
    "checkpoints/iteration-00000056.safetensors",
  ]) {
    expect(fs.readFileSync(join(killed, file), "utf8")).toBe(fs.readFileSync(join(whole, file), "utf8"));
  }
  expect(shownEvents(join(killed, "tensorboard"))).toEqual(shownEvents(join(whole, "tensorboard")));
  expect(fs.existsSync(join(killed, "run.lock"))).toBe(false);
});
