import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadSafetensors, setThreads, tidy } from "@armseg/torch";
import { isOnCpu } from "@armseg/torch/testing";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildProgram } from "../cli/program.ts";
import { deviation, mean } from "../core/statistics.ts";
import { checkpointFileName } from "../runs/checkpoint-index.ts";
import { readMetrics } from "../runs/metrics.ts";
import { finishedEvaluation } from "../runs/read-run.ts";
import { type RunRecord, recordsOfKind, type SampleRecord } from "../runs/records.ts";
import { EarlyStopping } from "../training/early-stopping.ts";
import { TrainingError } from "../training/trainer.ts";
import { dryRun } from "./dry-run.ts";
import { evaluateRun, loadTrained } from "./evaluate.ts";
import { predictRun } from "./predict.ts";
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

  test("learns: the loss of the last iterations lies below that of the first by more than chance allows", () => {
    const losses = log("undisturbed").flatMap((record) =>
      record.kind === "train" ? [record.meanLoss as number] : [],
    );
    const [first, last] = [losses.slice(0, 10), losses.slice(-10)];
    const standardError = Math.hypot(deviation(first), deviation(last)) / Math.sqrt(10);
    expect(mean(first) - mean(last)).toBeGreaterThan(3 * standardError);
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

  test("predictions are not written over the images that they are made of, by whatever name", async () => {
    const photos = join(folder, "photos");
    mkdirSync(photos);
    const photo = join(photos, "photo.png");
    await sharp({ create: { width: 32, height: 32, channels: 3, background: "red" } })
      .png()
      .toFile(photo);
    const before = readFileSync(photo);
    const predict = (inputs: string[], out: string) =>
      predictRun({ folder: join(folder, "undisturbed"), inputs, out, overwrite: true });
    await expect(predict([photo], photos)).rejects.toThrow(/would be written over the image .*photo\.png/);
    // A link in another folder, which the prediction would follow or replace.
    mkdirSync(join(folder, "links"));
    symlinkSync(photo, join(folder, "links", "photo.png"));
    await expect(predict([photo], join(folder, "links"))).rejects.toThrow(/would be written over the image/);
    expect(readFileSync(photo).equals(before)).toBe(true);
    expect((await predict([photo], join(folder, "predictions"))).images).toBe(1);
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

  test("killed after the last checkpoint and resumed, it gets its samples and its report", async () => {
    const run = { folder: join(folder, "stopped"), stream };
    const metrics = join(run.folder, "metrics.jsonl");
    const whole = readFileSync(metrics, "utf8");
    const lines = whole.split("\n");
    const samples = lines.filter((line) => line.includes('"kind":"sample"'));
    expect(samples.length).toBe(2);
    // The kill came after the first sample was logged.
    writeFileSync(metrics, `${lines.slice(0, lines.indexOf(samples[1]!)).join("\n")}\n`);
    expect(finishedEvaluation(run.folder)).toBeDefined();
    rmSync(join(run.folder, "report.html"));
    await resumeTraining(run);
    expect(readFileSync(metrics, "utf8")).toBe(whole);
    expect(existsSync(join(run.folder, "report.html"))).toBe(true);
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

test("with every correction, stopped and resumed, it is bitwise the same, and its log says what was done", async () => {
  const small = smallConfig(folder, { iterations: 10, checkpointEvery: 5 });
  const correction = {
    ...small.correction,
    coverageOffset: true,
    teacher: true,
    relabel: "void" as const,
    affinity: 0.1,
  };
  const config = { ...small, correction, training: { ...small.training, ema: 0.5 } };
  await startTraining(config, { folder: join(folder, "corrected"), stream });
  const run = { folder: join(folder, "corrected-stopped"), stream };
  await startTraining(config, { ...run, signal: stopAfter(8) });
  await resumeTraining(run);
  expectSameCheckpoint(checkpoint("corrected-stopped", 10), checkpoint("corrected", 10));
  if (isOnCpu) expect(log("corrected-stopped")).toEqual(log("corrected"));
  const records = log("corrected");
  const { classes } = records[0] as RunRecord;
  const estimates = recordsOfKind(records, "coverage");
  expect(estimates.map(({ iteration }) => iteration)).toEqual([2, 4, 6, 7, 8]);
  for (const { coverage } of estimates) {
    expect(coverage).toHaveLength(classes.length);
    for (const share of coverage) expect(share).toBeGreaterThanOrEqual(0.05);
  }
  const teachings = recordsOfKind(records, "teaching");
  expect(teachings.map(({ iteration }) => iteration)).toEqual([4, 7]);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  for (const { thresholds, drawn, filled, void: rest } of teachings) {
    for (const threshold of thresholds) expect(threshold).toBeGreaterThanOrEqual(0.5);
    expect(sum(drawn) + sum(filled) + rest).toBe(12 * 48 * 96);
  }
  const report = readFileSync(join(folder, "corrected", "report.html"), "utf8");
  expect(report).toContain("labelled in training");
  expect(report).toContain("filled by the teacher");
}, 300_000);

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

describe("with patience", () => {
  const config = smallConfig(folder, { iterations: 12, checkpointEvery: 3 });
  const training = { ...config.training, evaluateEvery: 1, patience: 1 };
  const impatient = { ...config, training };
  const run = (name: string) => ({ folder: join(folder, name), stream });

  test("a training ends early, says so, and stopped and resumed it ends at the same iteration", async () => {
    const whole = await startTraining(impatient, run("impatient"));
    const mIoU = log("impatient").flatMap((record) => (record.kind === "evaluation" ? [record.mIoU] : []));
    const stopping = new EarlyStopping(1, mIoU.slice(0, -1));
    expect([stopping.isOver, stopping.endsWith(mIoU.at(-1)!)]).toEqual([false, whole.iteration < 12]);
    expect(whole.isComplete).toBe(true);
    expect(whole.best?.mIoU).toBe(Math.max(...mIoU));
    const stopped = await startTraining(impatient, { ...run("impatient-2"), signal: stopAfter(1) });
    expect(stopped.isComplete).toBe(false);
    const resumed = await resumeTraining(run("impatient-2"));
    expect([resumed.iteration, resumed.isComplete]).toEqual([whole.iteration, true]);
    if (isOnCpu) expect(log("impatient-2")).toEqual(log("impatient"));
    const again = await resumeTraining(run("impatient-2"));
    expect(again).toMatchObject({ iteration: whole.iteration, isComplete: true });
    expect(finishedEvaluation(join(folder, "impatient"))).toMatchObject({ iteration: whole.iteration });
  }, 60_000);
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

describe("from a finished run", () => {
  const first = smallConfig(folder, { iterations: 2, checkpointEvery: 2 });

  test("a training begins with its network and its curve, and the banner says so", async () => {
    await startTraining(first, { folder: join(folder, "base"), stream });
    const from = join(folder, "base");
    const frozen = { ...first.optimizer, learningRate: 1e-30, weightDecay: 0 };
    const config = { ...first, optimizer: frozen, training: { ...first.training, from } };
    let said = "";
    const write = (text: string) => {
      said += text;
    };
    await startTraining(config, { folder: join(folder, "extended"), stream: { write } });
    expect(said).toMatch(/^run +.*extended\n/);
    expect(said).toMatch(/weights +.*base\n/);
    expect(said).toMatch(/begins with the weights of .*base.*iteration-00000002\.safetensors/);
    tidy(() => {
      const [old, own] = ["base", "extended"].map((run) => loadSafetensors(checkpoint(run, 2)).tensors);
      const learned = [...old!].filter(([name]) => /^(model|curve)\..*(weight|bias)$/.test(name));
      expect(learned.length).toBeGreaterThan(60);
      for (const [name, weight] of learned)
        expect(own!.get(name)?.sub(weight).abs().max().item(), name).toBeLessThan(1e-20);
    });
  }, 60_000);

  test("another network is refused", async () => {
    const model = { ...first.model, headChannels: 16 };
    const config = { ...first, model, training: { ...first.training, from: join(folder, "base") } };
    await expect(startTraining(config, { folder: join(folder, "other"), stream })).rejects.toThrow(
      /training\.from: expected the network of .*, got another one/,
    );
  });
});

test("a dry run measures three iterations, as the help says, and leaves nothing behind", async () => {
  const config = smallConfig(folder, { iterations: 100, checkpointEvery: 100 });
  const plan = await dryRun(config, { stream });
  expect(plan).toMatchObject({ iterations: 100, measured: 3, epochs: expect.closeTo(100 / 6, 1) });
  const correction = { ...config.correction, coverageOffset: true, teacher: true };
  const corrected = await dryRun({ ...config, correction }, { stream });
  // two rounds over 12 images, their mirror images and 12 for the thresholds; six estimates over 12
  const images = 2 * 36 + 6 * 12;
  expect(corrected.correctionSeconds).toBeCloseTo((images * corrected.evaluationSeconds) / 2, 6);
  const help = buildProgram()
    .commands.find((command) => command.name() === "train")!
    .helpInformation();
  expect(help.replaceAll(/\s+/g, " ")).toContain("run three iterations at full size");
}, 60_000);

test("a run may report at every evaluation, and keeps the memory format that it was measured in", async () => {
  const config = smallConfig(folder, { iterations: 2, checkpointEvery: 2 });
  const run = join(folder, "early");
  let early = "";
  const written: string[] = [];
  const watching = {
    write: (text: string) => {
      written.push(text);
      if (text.startsWith("A first look")) early = readFileSync(join(run, "report.html"), "utf8");
    },
  };
  await startTraining(
    { ...config, training: { ...config.training, evaluateEvery: 1 } },
    { folder: run, stream: watching, reportsEarly: true },
  );
  expect(written.filter((text) => text.startsWith("A first look"))).toEqual([
    `A first look, at iteration 1: ${join(run, "report.html")}\n`,
  ]);
  expect(early).toContain("At iteration 1. Confidence");
  expect(readFileSync(join(run, "report.html"), "utf8")).toContain("At iteration 2. Confidence");
  expect(readFileSync(join(run, "config.yaml"), "utf8")).toMatch(
    /memoryFormat: (contiguous|channels_last)\n/,
  );
});
