import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadSafetensors, setThreads, tidy } from "@armseg/torch";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectSameCheckpoint } from "../commands/testing/same-checkpoint.ts";
import { smallConfig } from "../commands/testing/small-run.ts";
import { stopAfter } from "../commands/testing/stop-after.ts";
import { resumeTraining, startTraining } from "../commands/train.ts";
import { prepareData } from "../config/build-data.ts";
import { checkConfig } from "../config/read-config.ts";
import type { Config } from "../config/schema.ts";
import type { Loader } from "../pipeline/index.ts";
import { checkpointFileName } from "../runs/checkpoint-index.ts";
import { Baseline, type BaselineParts } from "./baseline.ts";

const folder = mkdtempSync(join(tmpdir(), "armseg-baseline-"));
beforeAll(() => setThreads(1));
afterAll(() => rmSync(folder, { recursive: true }));

const ITERATIONS = 6;

function config(baseline: Config["reweighting"]["baseline"], parts: object = {}): Config {
  const small = smallConfig(folder, { iterations: ITERATIONS, checkpointEvery: 1 });
  const reweighting = { ...small.reweighting, curve: "none", baseline, metaSamples: 4 };
  return checkConfig({ ...small, reweighting, ...parts }, "the test");
}

const checkpoint = (run: string) => join(folder, run, "checkpoints", checkpointFileName(ITERATIONS));
const hash = (run: string) =>
  createHash("sha256")
    .update(readFileSync(checkpoint(run)))
    .digest("hex");

describe.each(["metaWeightNet", "learningToReweight"] as const)("%s", (baseline) => {
  test("stopped after two iterations and after one more, and resumed, it is bitwise the same", async () => {
    const whole = { folder: join(folder, baseline), stream: null };
    const result = await startTraining(config(baseline), whole);
    expect(result.isComplete).toBe(true);
    const run = { folder: join(folder, `${baseline}-stopped`), stream: null };
    await startTraining(config(baseline), { ...run, signal: stopAfter(2) });
    await resumeTraining({ ...run, signal: stopAfter(1) });
    await resumeTraining(run);
    expectSameCheckpoint(checkpoint(`${baseline}-stopped`), checkpoint(baseline));
  }, 120_000);
});

describe("Meta-Weight-Net's Adam has the authors' weight decay", () => {
  /** Steps, values and two means of four parameters with 301 numbers in all. */
  const LENGTH = 4 + 3 * 301;

  test("which a checkpoint keeps", () => {
    const kept = tidy(() => {
      const { tensors } = loadSafetensors(checkpoint("metaWeightNet"));
      const [, values] = [...tensors].find(([name]) => name.endsWith("comparator"))!;
      return Array.from(values.toTypedArray() as Float64Array);
    });
    expect(kept).toHaveLength(LENGTH + 1);
    expect(kept.at(-1)).toBe(1e-4);
  });

  test("and which is what the checkpoint says, none where it was saved without one", async () => {
    const metaBatches = { dispose: async () => {} } as Loader;
    const parts = { kind: "metaWeightNet", device: "cpu", metaBatches } as unknown as BaselineParts;
    await using baseline = new Baseline(parts);
    const after = (decay: readonly number[]) => {
      baseline.loadState([...new Array<number>(LENGTH).fill(1), ...decay]);
      return tidy(() => Array.from(baseline.state()!.toTypedArray() as Float64Array)).at(-1);
    };
    expect([after([0.5]), after([])]).toEqual([0.5, 0]);
  });
});

test("what it learns changes the network: the weights are not all alike", async () => {
  await startTraining(config("none"), { folder: join(folder, "none"), stream: null });
  expect(new Set([hash("none"), hash("metaWeightNet"), hash("learningToReweight")]).size).toBe(3);
});

test("the meta samples have fine labels, are spread over the split, and are not trained on", async () => {
  const data = await prepareData(config("metaWeightNet"), {
    cacheFolder: join(folder, "cache"),
    say: () => {},
  });
  const meta = data.meta!.samples;
  expect([meta.length, data.train.samples.length]).toEqual([4, 8]);
  expect(meta.every(({ annotation }) => annotation?.path.includes(join("fine", "labels")))).toBe(true);
  expect(data.train.samples.every(({ annotation }) => annotation?.path.includes("coarse-labels"))).toBe(true);
  const trained = new Set(data.train.samples.map(({ name }) => name));
  expect(meta.filter(({ name }) => trained.has(name))).toEqual([]);
});

test("what does not go together is refused before anything is trained", async () => {
  const start = (wrong: Config, name: string) =>
    startTraining(wrong, { folder: join(folder, name), stream: null });
  const small = config("metaWeightNet");
  const arm = { reweighting: { ...small.reweighting, curve: "arm" } };
  await expect(start(config("metaWeightNet", arm), "arm")).rejects.toThrow("set reweighting.curve none");
  const many = { reweighting: { ...small.reweighting, metaSamples: 11 } };
  await expect(start(config("metaWeightNet", many), "many")).rejects.toThrow(/metaSamples: .* got 11/);
});
