import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getThreads, memory, noGrad, setThreads } from "@armseg/torch";
import { isOnCpu } from "@armseg/torch/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stopAfter } from "../commands/testing/stop-after.ts";
import { IGNORE_INDEX } from "../core/ignore-index.ts";
import { NonFiniteLogitsError } from "../evaluation/index.ts";
import type { Batch } from "../pipeline/index.ts";
import type { EvaluationRecord, MetricsRecord } from "../runs/records.ts";
import { loadCheckpoint } from "./checkpoint.ts";
import { EarlyStopping } from "./early-stopping.ts";
import { createSchedule } from "./schedule.ts";
import { noiseBatch, numbersOf, type SmallTraining, smallTraining } from "./testing/small-training.ts";
import { Trainer, type TrainerParts, TrainingError } from "./trainer.ts";

const threads = getThreads();
const folder = mkdtempSync(join(tmpdir(), "armseg-trainer-"));
beforeAll(() => setThreads(1));
afterAll(() => {
  setThreads(threads);
  rmSync(folder, { recursive: true });
});

const SCHEDULE = {
  type: "paper",
  iterations: 4,
  warmupFraction: 0,
  drops: [0.5],
  power: 1,
  minimumFactor: 0,
} as const;

const scores = (iteration: number): EvaluationRecord => ({
  kind: "evaluation",
  iteration,
  split: "val",
  images: 1,
  aAcc: 1,
  mAcc: 1,
  mIoU: iteration / 10,
  iou: [1],
});

/** What a trainer did, in order, beside its log. */
interface Told {
  readonly records: MetricsRecord[];
  readonly events: string[];
}

/** A trainer of four iterations with its curve isolated in the first, on batches 0, 1, 2 …, that keeps files in a folder. */
function trainerOf(
  training: SmallTraining,
  name: string,
  change: Partial<TrainerParts> = {},
): { trainer: Trainer; told: Told } {
  const told: Told = { records: [], events: [] };
  let next = 0;
  const trainer = new Trainer({
    ...training,
    schedule: createSchedule(SCHEDULE, 0.1, { fraction: 0.25, isLearnable: training.curve !== null }),
    data: { next: async () => noiseBatch(next++) },
    baseline: null,
    log: { log: (record) => told.records.push(record), flush: () => told.events.push("flush") },
    checkpoints: {
      save: async (iteration, write, score) => {
        write(join(folder, `${name}-${iteration}`));
        told.events.push(`save ${iteration} ${score}`);
      },
      saveFailed: (write) => {
        write(join(folder, `${name}-failed`));
        return `${name}-failed`;
      },
    },
    evaluate: async (iteration) => {
      told.events.push(`evaluate ${iteration}`);
      return scores(iteration);
    },
    intervals: { log: 1, curve: 4, evaluate: 4, checkpoint: 2, coverage: 3 },
    accumulate: 1,
    maxNonFinite: 2,
    ...change,
  });
  return { trainer, told };
}

const batchesFrom = (start: number, change: (batch: Batch) => Partial<Batch> = () => ({})) => {
  let next = start;
  return {
    next: async () => {
      const batch = noiseBatch(next++);
      return { ...batch, ...change(batch) };
    },
  };
};

test("it evaluates and saves when it is due and at the end, and flushes its log before each checkpoint", async () => {
  using training = smallTraining();
  const { trainer, told } = trainerOf(training, "due");
  await trainer.run();
  expect(trainer.isComplete).toBe(true);
  expect(told.events).toEqual(["flush", "save 2 undefined", "evaluate 4", "flush", "save 4 0.4"]);
});

test("it ends early after the evaluation that is one too many without a better score, and saves", async () => {
  using training = smallTraining();
  const { trainer, told } = trainerOf(training, "early", {
    earlyStopping: new EarlyStopping(1),
    intervals: { log: 1, curve: 4, evaluate: 1, checkpoint: 2, coverage: 3 },
    evaluate: async (iteration) => scores(iteration === 2 ? 0 : iteration),
  });
  await trainer.run();
  expect([trainer.iteration, trainer.isComplete]).toEqual([2, true]);
  expect(told.events.filter((event) => event.startsWith("save"))).toEqual(["save 1 0.1", "save 2 0"]);
});

test("its log has the rate and the phase that each update was made with", async () => {
  using training = smallTraining();
  const { trainer, told } = trainerOf(training, "log");
  await trainer.run();
  const updates = told.records.filter(({ kind }) => kind === "train");
  expect(updates).toMatchObject([
    { iteration: 1, learningRate: 0.1, curveLearningRate: -0.1, phase: "isolated" },
    { iteration: 2, learningRate: 0.1, phase: "joint" },
    { iteration: 3, learningRate: expect.closeTo(0.01, 12), phase: "joint" },
    { iteration: 4, curveLearningRate: expect.closeTo(-0.01, 12), phase: "joint" },
  ]);
  expect(told.records.map(({ kind }) => kind)).toEqual([
    "train",
    "train",
    "train",
    "train",
    "curve",
    "timing",
  ]);
});

test("without a curve there is no phase, no rate of it and no record of it", async () => {
  using training = smallTraining({ hasCurve: false });
  const { trainer, told } = trainerOf(training, "plain");
  await trainer.run();
  expect(told.records.map(({ kind }) => kind)).not.toContain("curve");
  expect(told.records[0]).not.toHaveProperty("phase");
  expect(told.records[0]).not.toHaveProperty("curveLearningRate");
});

test("an update takes as many batches as are accumulated", async () => {
  using training = smallTraining();
  let taken = 0;
  const data = { next: async () => noiseBatch(taken++) };
  const { trainer } = trainerOf(training, "accumulate", { accumulate: 8, data });
  await trainer.run();
  expect([trainer.iteration, taken]).toEqual([4, 32]);
});

test("a signal ends it after the iteration in hand, with a checkpoint; from there it goes on to the same bits", async () => {
  const options = { rule: { type: "adamw" }, ema: 0.5, dropout: 0.5, learningRate: 1e-3 } as const;
  using whole = smallTraining(options);
  const undisturbed = trainerOf(whole, "whole");
  await undisturbed.trainer.run();

  using first = smallTraining(options);
  const stopped = trainerOf(first, "stopped", { signal: stopAfter(3) });
  await stopped.trainer.run();
  expect([stopped.trainer.iteration, stopped.trainer.isComplete]).toEqual([3, false]);

  using second = smallTraining(options);
  const resumed = trainerOf(second, "resumed", { data: batchesFrom(3) });
  const { facts, extra } = loadCheckpoint(join(folder, "stopped-3"), second);
  resumed.trainer.continueFrom(facts, extra);
  await resumed.trainer.run();
  expect(resumed.trainer.iteration).toBe(4);
  if (!isOnCpu) return;
  expect(numbersOf(second.network)).toEqual(numbersOf(whole.network));
  const logOf = ({ told }: { told: Told }) => told.records.filter(({ kind }) => kind !== "timing");
  expect([...logOf(stopped), ...logOf(resumed)]).toEqual(logOf(undisturbed));
});

test("the coverage is estimated when it is due, not at the end, and goes on from a checkpoint", async () => {
  const parts = (training: SmallTraining) => ({
    intervals: { log: 1, curve: 4, evaluate: 4, checkpoint: 2, coverage: 2 },
    estimateCoverage: async (iteration: number) => training.coverage?.set([1, 0.5, iteration / 10]),
  });
  using whole = smallTraining({ hasCoverage: true });
  const undisturbed = trainerOf(whole, "coverage", parts(whole));
  await undisturbed.trainer.run();
  expect(whole.coverage?.coverage).toEqual([1, 0.5, 0.2]);

  using second = smallTraining({ hasCoverage: true });
  const resumed = trainerOf(second, "covered", { ...parts(second), data: batchesFrom(2) });
  const { facts, extra } = loadCheckpoint(join(folder, "coverage-2"), second);
  resumed.trainer.continueFrom(facts, extra);
  expect(second.coverage?.coverage).toEqual([1, 0.5, 0.2]);
  await resumed.trainer.run();
  if (isOnCpu) expect(numbersOf(second.network)).toEqual(numbersOf(whole.network));

  using plain = smallTraining();
  await trainerOf(plain, "uncovered").trainer.run();
  expect(numbersOf(plain.network)).not.toEqual(numbersOf(whole.network));
});

test("too many losses in a row that are not finite end it, and its state is kept", async () => {
  using training = smallTraining();
  const data = batchesFrom(0, ({ images }) => ({ images: images.fill(Number.NaN) }));
  const { trainer, told } = trainerOf(training, "diverged", { data });
  await expect(trainer.run()).rejects.toThrow(TrainingError);
  await expect(trainer.run()).rejects.toThrow(
    /losses in a row were not finite.*diverged-failed.*learningRate/,
  );
  expect(told.records[0]).toMatchObject({
    event: "skippedStep",
    message: expect.stringContaining("(1 so far)"),
  });
  using other = smallTraining();
  expect(loadCheckpoint(join(folder, "diverged-failed"), other).facts).toMatchObject({ skippedInARow: 3 });
});

test("a curve that has become NaN ends it at once, with its state kept", async () => {
  using training = smallTraining();
  const [parameter] = training.curve!.parameters();
  noGrad(() => parameter!.fill_(Number.NaN));
  const { trainer } = trainerOf(training, "nan-curve");
  await expect(trainer.run()).rejects.toThrow(
    /^the curve diverged by iteration 1: W\(u\) must be finite.*is NaN; the state is kept in .*nan-curve-failed\. .*learningRateMultiplier/,
  );
  using other = smallTraining();
  expect(loadCheckpoint(join(folder, "nan-curve-failed"), other).facts).toMatchObject({
    iteration: 1,
    skipped: 1,
  });
});

test("a single loss that is not finite is counted, and forgotten with the next update", async () => {
  using training = smallTraining();
  const data = batchesFrom(0, ({ iteration, images }) =>
    iteration % 2 === 0 ? { images: images.fill(Number.NaN) } : {},
  );
  const { trainer, told } = trainerOf(training, "now-and-then", { data });
  await trainer.run();
  const messages = told.records.flatMap((record) => (record.kind === "event" ? [record.message] : []));
  expect(messages).toEqual([expect.stringContaining("(1 so far)"), expect.stringContaining("(2 so far)")]);
});

test("a network that diverged between evaluations ends it, with the reason", async () => {
  using training = smallTraining();
  const evaluate = () => Promise.reject(new NonFiniteLogitsError("the logits hold NaN"));
  const { trainer } = trainerOf(training, "nan", { evaluate });
  await expect(trainer.run()).rejects.toThrow(/diverged by iteration 4: the logits hold NaN.*nan-failed/);
});

test("a network that diverged is noticed where the coverage is estimated, too", async () => {
  using training = smallTraining({ hasCoverage: true });
  const estimateCoverage = () => Promise.reject(new NonFiniteLogitsError("the logits hold NaN"));
  const { trainer } = trainerOf(training, "nan-coverage", {
    estimateCoverage,
    intervals: { log: 1, curve: 2, evaluate: 4, checkpoint: 2, coverage: 1 },
  });
  await expect(trainer.run()).rejects.toThrow(
    /diverged by iteration 1: the logits hold NaN.*nan-coverage-failed/,
  );
});

test("a batch without labels is told of", async () => {
  using training = smallTraining({ hasCurve: false });
  const data = batchesFrom(0, ({ labels }) => ({ labels: labels.fill(IGNORE_INDEX), validPixels: 0 }));
  const { trainer, told } = trainerOf(training, "empty", { data });
  await trainer.run();
  expect(told.records[0]).toMatchObject({ kind: "event", event: "emptyBatch" });
});

test("a loader that ends too early is an error", async () => {
  using training = smallTraining();
  const { trainer } = trainerOf(training, "short", { data: { next: async () => undefined } });
  await expect(trainer.run()).rejects.toThrow("the loader ended at iteration 0");
});

test("it leaves no tensor behind", async () => {
  using training = smallTraining({ rule: { type: "sgd", momentum: 0.9, nesterov: false } });
  await trainerOf(training, "warm").trainer.run(); // makes the optimiser's buffers
  const before = memory().tensors;
  await trainerOf(training, "again").trainer.run();
  expect(memory().tensors).toBe(before);
});
