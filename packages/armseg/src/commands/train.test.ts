import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadSafetensors, setThreads, tidy } from "@armseg/torch";
import { isOnCpu } from "@armseg/torch/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildProgram } from "../cli/program.ts";
import { checkpointFileName } from "../runs/checkpoint-index.ts";
import { readMetrics } from "../runs/metrics.ts";
import type { SampleRecord } from "../runs/records.ts";
import { TrainingError } from "../training/trainer.ts";
import { dryRun } from "./dry-run.ts";
import { evaluateRun, loadTrained } from "./evaluate.ts";
import { drawSamples } from "./report-samples.ts";
import { expectSameCheckpoint } from "./testing/same-checkpoint.ts";
import { smallConfig } from "./testing/small-run.ts";
import { stopAfter } from "./testing/stop-after.ts";
import { type RunResult, resumeTraining, startTraining } from "./train.ts";

const ITERATIONS = 32;
const folder = mkdtempSync(join(tmpdir(), "armseg-run-"));
const stream = null;
afterAll(() => rmSync(folder, { recursive: true }));

const checkpoint = (run: string, iteration: number) =>
  join(folder, run, "checkpoints", checkpointFileName(iteration));
/** The log without what depends on the machine. */
const log = (run: string) =>
  readMetrics(join(folder, run, "metrics.jsonl")).filter(({ kind }) => kind !== "timing");

describe("a run of 32 iterations", () => {
  let undisturbed: RunResult;

  beforeAll(async () => {
    setThreads(1);
    const config = smallConfig(folder, { iterations: ITERATIONS, checkpointEvery: 8 });
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
    const config = smallConfig(folder, { iterations: ITERATIONS, checkpointEvery: 8 });
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
    const config = smallConfig(folder, { iterations: ITERATIONS, checkpointEvery: 8 });
    const run = { folder: join(folder, "stopped"), stream };
    const first = await startTraining(config, { ...run, signal: stopAfter(13) });
    expect(first).toMatchObject({ iteration: 13, isComplete: false, evaluation: null });
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

  test("killed five times at the worst moments, and resumed each time, it is bitwise the same", () => {
    const faults = [
      'after write "iteration":3,', // logged, and no checkpoint yet
      'torn write "iteration":7,',
      "before rename iteration-00000012",
      "after rename iteration-00000020",
      "before rename index.json",
    ];
    const program = fileURLToPath(new URL("./testing/killed-run.ts", import.meta.url));
    const run = (...fault: string[]) => {
      const args = ["--import", "tsx", "--conditions=@armseg/source", program, join(folder, "killed")];
      const { status, signal, stderr } = spawnSync(process.execPath, [...args, String(ITERATIONS), ...fault]);
      return { status, signal, stderr: stderr.toString() };
    };
    for (const fault of faults) expect([fault, run(fault).signal]).toEqual([fault, "SIGKILL"]);
    expect(run()).toEqual({ status: 0, signal: null, stderr: "" });
    expectSameCheckpoint(checkpoint("killed", ITERATIONS), checkpoint("undisturbed", ITERATIONS));
  }, 300_000);
});

test("a start that fails does not block its folder: what was wrong is put right and started again", async () => {
  const config = smallConfig(folder, { iterations: 1, checkpointEvery: 1 });
  const run = join(folder, "failed-starts");
  const { data } = config;
  const classes = [{ name: "road", color: [128, 64, 128] as [number, number, number] }];
  const masks = { ...data, format: "folder" as const, images: "nowhere", masks: "nowhere", classes };
  const wrong = [
    [{ ...config, data: masks }, /nowhere/],
    [{ ...config, model: { ...config.model, weights: "nowhere.pth" } }, /nowhere\.pth/],
    [{ ...config, training: { ...config.training, device: "cuda:99" } }, /cuda/i],
  ] as const;
  for (const [config, message] of wrong) {
    await expect(startTraining(config, { folder: run, stream })).rejects.toThrow(message);
    await expect(resumeTraining({ folder: run, stream })).rejects.toThrow(message);
  }
  let said = "";
  const result = await startTraining(config, {
    folder: run,
    stream: { write: (text: string) => (said += text) },
  });
  expect(result.isComplete).toBe(true);
  expect(said).toContain("an earlier start left no checkpoint; this one begins afresh");
  expect(readMetrics(join(run, "metrics.jsonl")).filter(({ kind }) => kind === "run")).toHaveLength(1);
}, 60_000);

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

describe("with averaged weights", () => {
  const config = smallConfig(folder, { iterations: 8, checkpointEvery: 8 });
  const run = join(folder, "averaged");

  beforeAll(async () => {
    const optimizer = { ...config.optimizer, learningRate: 0.5 };
    const training = { ...config.training, ema: 0.9 };
    await startTraining({ ...config, optimizer, training }, { folder: run, stream });
  }, 60_000);

  test("the samples of the report are drawn with the weights that are scored", async () => {
    using trained = await loadTrained({ folder: run });
    const { network, dataset } = trained;
    const [sample] = readMetrics(join(run, "metrics.jsonl")).filter(
      ({ kind }) => kind === "sample",
    ) as SampleRecord[];
    const prediction = (of: string) => readFileSync(join(of, sample!.files.confidence!));
    const draw = async (to: string) => {
      await drawSamples(to, dataset, { network, curve: null }, trained.settings, 4);
      return prediction(to);
    };
    expect(await draw(join(folder, "from-averages"))).toEqual(prediction(run));
    tidy(() => {
      const { tensors } = loadSafetensors(checkpoint("averaged", 8));
      const raw = [...tensors].filter(([name]) => name.startsWith("model."));
      network.loadStateDict(new Map(raw.map(([name, value]) => [name.slice("model.".length), value])));
    });
    expect(await draw(join(folder, "from-weights"))).not.toEqual(prediction(run));
  });

  test("a network is in training again after its evaluation, even one that fails", async () => {
    using trained = await loadTrained({ folder: run });
    const { network, dataset } = trained;
    network.train();
    const missing = { ...dataset, samples: [{ name: "none", image: join(folder, "none.png") }] };
    await expect(drawSamples(run, missing, { network, curve: null }, trained.settings, 4)).rejects.toThrow(
      "none.png",
    );
    expect(network.isTraining).toBe(true);
  });
});

test("a dry run measures three iterations, as the help says, and leaves nothing behind", async () => {
  const config = smallConfig(folder, { iterations: 100, checkpointEvery: 100 });
  const plan = await dryRun(config, { stream });
  expect(plan).toMatchObject({ iterations: 100, measured: 3, epochs: expect.closeTo(100 / 6, 1) });
  const help = buildProgram()
    .commands.find((command) => command.name() === "train")!
    .helpInformation();
  expect(help.replaceAll(/\s+/g, " ")).toContain("run three iterations at full size");
}, 60_000);
