import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setThreads } from "@armseg/torch";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectSameCheckpoint } from "../commands/testing/same-checkpoint.ts";
import { smallConfig } from "../commands/testing/small-run.ts";
import { resumeTraining, startTraining } from "../commands/train.ts";
import { prepareData } from "../config/prepare-data.ts";
import { checkConfig } from "../config/read-config.ts";
import type { Config } from "../config/schema.ts";
import { checkpointFileName } from "../runs/checkpoint-index.ts";

const folder = mkdtempSync(join(tmpdir(), "armseg-comparator-"));
beforeAll(() => setThreads(1));
afterAll(() => rmSync(folder, { recursive: true }));

const ITERATIONS = 6;

function config(comparator: Config["reweighting"]["comparator"], parts: object = {}): Config {
  const small = smallConfig(folder, { iterations: ITERATIONS, checkpointEvery: 1 });
  const reweighting = { ...small.reweighting, curve: "none", comparator, cleanSamples: 4 };
  return checkConfig({ ...small, reweighting, ...parts }, "the test");
}

const checkpoint = (run: string) => join(folder, run, "checkpoints", checkpointFileName(ITERATIONS));
const hash = (run: string) =>
  createHash("sha256")
    .update(readFileSync(checkpoint(run)))
    .digest("hex");

/** A signal that is asked before each iteration, and says stop at the one after so many. */
function stopAfter(iterations: number): AbortSignal {
  let asked = 0;
  return {
    get aborted() {
      return asked++ >= iterations;
    },
  } as AbortSignal;
}

describe.each(["metaWeightNet", "learningToReweight"] as const)("%s", (comparator) => {
  test("stopped after two iterations and after one more, and resumed, it is bitwise the same", async () => {
    const whole = { folder: join(folder, comparator), stream: null };
    const result = await startTraining(config(comparator), whole);
    expect(result.isComplete).toBe(true);
    const run = { folder: join(folder, `${comparator}-stopped`), stream: null };
    await startTraining(config(comparator), { ...run, signal: stopAfter(2) });
    await resumeTraining({ ...run, signal: stopAfter(1) });
    await resumeTraining(run);
    expectSameCheckpoint(checkpoint(`${comparator}-stopped`), checkpoint(comparator));
  }, 120_000);
});

test("what it learns changes the network: the weights are not all alike", async () => {
  await startTraining(config("none"), { folder: join(folder, "none"), stream: null });
  expect(new Set([hash("none"), hash("metaWeightNet"), hash("learningToReweight")]).size).toBe(3);
});

test("the clean samples have fine labels, are spread over the split, and are not trained on", async () => {
  const data = await prepareData(config("metaWeightNet"), {
    cacheFolder: join(folder, "cache"),
    say: () => {},
  });
  const clean = data.clean!.samples;
  expect([clean.length, data.train.samples.length]).toEqual([4, 8]);
  expect(clean.every(({ annotation }) => annotation?.path.includes(join("fine", "labels")))).toBe(true);
  expect(data.train.samples.every(({ annotation }) => annotation?.path.includes("coarse-labels"))).toBe(true);
  const trained = new Set(data.train.samples.map(({ name }) => name));
  expect(clean.filter(({ name }) => trained.has(name))).toEqual([]);
});

test("what does not go together is refused before anything is trained", async () => {
  const start = (wrong: Config, name: string) =>
    startTraining(wrong, { folder: join(folder, name), stream: null });
  const small = config("metaWeightNet");
  const arm = { reweighting: { ...small.reweighting, curve: "arm" } };
  await expect(start(config("metaWeightNet", arm), "arm")).rejects.toThrow("set reweighting.curve none");
  const many = { reweighting: { ...small.reweighting, cleanSamples: 11 } };
  await expect(start(config("metaWeightNet", many), "many")).rejects.toThrow(/cleanSamples: .* got 11/);
});
