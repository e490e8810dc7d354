import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { setThreads } from "@armseg/torch";
import { isOnCpu } from "@armseg/torch/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkpointFileName } from "../runs/checkpoint-index.ts";
import { readMetrics } from "../runs/metrics.ts";
import { TrainingError } from "../training/trainer.ts";
import { evaluateRun } from "./evaluate.ts";
import { expectSameCheckpoint } from "./testing/same-checkpoint.ts";
import { smallConfig } from "./testing/small-run.ts";
import { type RunResult, resumeTraining, startTraining } from "./train.ts";

const ITERATIONS = 60;
const folder = mkdtempSync(join(tmpdir(), "armseg-run-"));
const stream = null;
afterAll(() => rmSync(folder, { recursive: true }));

const checkpoint = (run: string, iteration: number) =>
  join(folder, run, "checkpoints", checkpointFileName(iteration));
/** The log without what depends on the machine. */
const log = (run: string) =>
  readMetrics(join(folder, run, "metrics.jsonl")).filter(({ kind }) => kind !== "timing");

describe("a run of 60 iterations", () => {
  let undisturbed: RunResult;

  beforeAll(async () => {
    setThreads(1);
    const config = smallConfig(folder, { iterations: ITERATIONS, checkpointEvery: 20 });
    undisturbed = await startTraining(config, { folder: join(folder, "undisturbed"), stream });
  }, 300_000);

  test("ends with scores, a checkpoint and a report", () => {
    expect(undisturbed).toMatchObject({ iteration: ITERATIONS, isComplete: true });
    expect(undisturbed.evaluation?.mIoU).toBeGreaterThan(0);
    expect(readFileSync(join(folder, "undisturbed", "report.html"), "utf8")).toContain("W(u) over time");
  });

  test("learns: the loss of the last iterations is below that of the first", () => {
    const losses = log("undisturbed").flatMap((record) =>
      record.kind === "train" ? [record.meanLoss as number] : [],
    );
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(losses.slice(-10))).toBeLessThan(0.8 * mean(losses.slice(0, 10)));
  });

  test("its folder cannot be trained into again", async () => {
    const config = smallConfig(folder, { iterations: ITERATIONS, checkpointEvery: 20 });
    await expect(startTraining(config, { folder: join(folder, "undisturbed"), stream })).rejects.toThrow(
      /--resume/,
    );
  });

  test("its checkpoint gives the same scores again", async () => {
    const { result } = await evaluateRun({ folder: join(folder, "undisturbed"), checkpoint: "last" });
    if (isOnCpu) expect(result.metrics.mIoU).toBe(undisturbed.evaluation?.mIoU);
    else expect(result.metrics.mIoU).toBeCloseTo(undisturbed.evaluation!.mIoU, 2);
  });

  test("stopped by a signal and resumed, it is bitwise the same", async () => {
    const stop = new AbortController();
    const config = smallConfig(folder, { iterations: ITERATIONS, checkpointEvery: 20 });
    const run = { folder: join(folder, "stopped"), stream };
    setTimeout(() => stop.abort(), 1500);
    const first = await startTraining(config, { ...run, signal: stop.signal });
    expect(first.isComplete).toBe(first.iteration === ITERATIONS);
    await resumeTraining(run);
    expectSameCheckpoint(checkpoint("stopped", ITERATIONS), checkpoint("undisturbed", ITERATIONS));
    if (isOnCpu) expect(log("stopped")).toEqual(log("undisturbed"));
    expect(log("stopped").map(({ kind }) => kind)).toEqual(log("undisturbed").map(({ kind }) => kind));
  }, 300_000);

  test("falls back to the checkpoint before a truncated one, says so, and is bitwise the same", async () => {
    const run = { folder: join(folder, "stopped") };
    truncateSync(checkpoint("stopped", ITERATIONS), 1000);
    let said = "";
    await resumeTraining({ ...run, stream: { write: (text: string) => (said += text) } });
    expect(said).toContain(`passed over ${checkpoint("stopped", ITERATIONS)}`);
    expectSameCheckpoint(checkpoint("stopped", ITERATIONS), checkpoint("undisturbed", ITERATIONS));
  }, 300_000);

  test("killed five times at random moments and resumed each time, it is bitwise the same", async () => {
    const program = fileURLToPath(new URL("./testing/killed-run.ts", import.meta.url));
    const args = [
      "--import",
      "tsx",
      "--conditions=@armseg/source",
      program,
      join(folder, "killed"),
      String(ITERATIONS),
    ];
    const start = () => spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
    for (let kill = 0; kill < 5; kill++) {
      const child = start();
      await sleep(1500 + Math.random() * 3500);
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("close", resolve));
    }
    const last = start();
    let errors = "";
    last.stderr.on("data", (data: Buffer) => (errors += data.toString()));
    const status = await new Promise((resolve) => last.once("close", resolve));
    expect([status, errors]).toEqual([0, ""]);
    expectSameCheckpoint(checkpoint("killed", ITERATIONS), checkpoint("undisturbed", ITERATIONS));
  }, 300_000);
});

describe("a training that diverges ends with an error, and its state is kept", () => {
  const diverging = (iterations: number) => {
    const config = smallConfig(folder, { iterations, checkpointEvery: iterations });
    return { ...config, optimizer: { ...config.optimizer, learningRate: 1e18 } };
  };

  test.each([
    ["after too many losses that are not finite", 20, /10 losses in a row were not finite.*learningRate/],
    [
      "at an evaluation that meets NaN",
      3,
      /diverged by iteration 3: .*logits hold NaN or infinity.*learningRate/,
    ],
  ])("%s", async (_, iterations, message) => {
    const run = join(folder, `diverged-${iterations}`);
    const training = startTraining(diverging(iterations), { folder: run, stream });
    await expect(training).rejects.toThrow(TrainingError);
    await expect(training).rejects.toThrow(message);
    expect(existsSync(join(run, "failed.safetensors"))).toBe(true);
  });
});
