import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { EntryResult } from "./entry-result.ts";
import { type GridOptions, runGrid } from "./grid.ts";
import { type Job, jobsOf, type Outcome, resultFileOf } from "./job.ts";
import { MACHINE, madeUpEntry } from "./testing/made-up-entries.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "armseg-grid-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const entries = [madeUpEntry("a", 0.1), madeUpEntry("b", 0.2), madeUpEntry("c", 0.3)];

function scored(mIoU: number): Outcome {
  return { kind: "scored", scores: { aAcc: 0.9, mAcc: 0.8, mIoU, iou: [mIoU, null, mIoU, mIoU] } };
}

/** A runner that notes what it is asked to run. */
function recorder(outcome: (job: Job) => Outcome | Promise<Outcome>) {
  const ran: string[] = [];
  const run = async (job: Job) => {
    ran.push(`${job.entry}${job.seed}`);
    return await outcome(job);
  };
  return { ran, run };
}

const grid = (jobs: readonly Job[], options: Pick<GridOptions, "run"> & Partial<GridOptions>) =>
  runGrid(jobs, { folder, machine: MACHINE, ...options });

test("an entry may want fewer seeds than there are", () => {
  const jobs = jobsOf([entries[0]!, { ...entries[1]!, mostSeeds: 1 }], 3);
  expect(jobs.map(({ entry, seed }) => `${entry}${seed}`)).toEqual(["a0", "b0", "a1", "a2"]);
});

test("entries times seeds, seed by seed, each with its seed in its configuration", async () => {
  const jobs = jobsOf(entries, 2);
  const { ran, run } = recorder(() => scored(0.5));
  const { results, isComplete } = await grid(jobs, { run });
  expect(ran).toEqual(["a0", "b0", "c0", "a1", "b1", "c1"]);
  expect(isComplete).toBe(true);
  expect(results.map(({ config }) => config.training.seed)).toEqual([0, 0, 0, 1, 1, 1]);
  expect(readdirSync(join(folder, "results"))).toHaveLength(6);
});

test("many jobs at once may listen for the end without a warning of Node's", async () => {
  const warnings: Error[] = [];
  const note = (warning: Error) => warnings.push(warning);
  process.on("warning", note);
  const { signal } = new AbortController();
  const run = async () => {
    signal.addEventListener("abort", () => {});
    return scored(0.5);
  };
  await grid(jobsOf(entries, 5), { run, signal, concurrency: 15 });
  await new Promise((resolve) => setImmediate(resolve));
  process.off("warning", note);
  expect(warnings).toEqual([]);
});

describe("what is done is not done again", () => {
  test("a second call runs nothing and has the same results", async () => {
    const jobs = jobsOf(entries, 1);
    const first = await grid(
      jobs,
      recorder(() => scored(0.5)),
    );
    const { ran, run } = recorder(() => scored(0.1));
    const second = await grid(jobs, { run });
    expect(ran).toEqual([]);
    expect(second).toEqual(first);
  });

  test("more seeds, another entry and another configuration run alone; nothing is overwritten", async () => {
    await grid(
      jobsOf(entries.slice(0, 2), 1),
      recorder(() => scored(0.5)),
    );
    const { ran, run } = recorder(() => scored(0.6));
    const changed = [entries[0]!, { ...madeUpEntry("b", 0.25) }, entries[2]!];
    const { results } = await grid(jobsOf(changed, 2), { run });
    expect(ran).toEqual(["b0", "c0", "a1", "b1", "c1"]);
    expect(results[0]?.scores?.mIoU).toBe(0.5);
    expect(readdirSync(join(folder, "results")).filter((name) => name.startsWith("b-seed-0"))).toHaveLength(
      2,
    );
  });

  test("after a signal the same call goes on where it was", async () => {
    const stop = new AbortController();
    const jobs = jobsOf(entries, 2);
    const first = recorder((job) => {
      if (job.entry !== "b") return scored(0.5);
      stop.abort();
      return { kind: "stopped" };
    });
    const stopped = await grid(jobs, { run: first.run, signal: stop.signal });
    expect([first.ran, stopped.isComplete, stopped.results.length]).toEqual([["a0", "b0"], false, 1]);
    const second = recorder(() => scored(0.5));
    expect((await grid(jobs, second)).isComplete).toBe(true);
    expect(second.ran).toEqual(["b0", "c0", "a1", "b1", "c1"]);
  });

  test("a damaged result is named", async () => {
    const jobs = jobsOf(entries, 1);
    await grid(
      jobs,
      recorder(() => scored(0.5)),
    );
    const path = resultFileOf(folder, jobs[1]!);
    writeFileSync(path, readFileSync(path, "utf8").slice(0, 50));
    await expect(
      grid(
        jobs,
        recorder(() => scored(0.5)),
      ),
    ).rejects.toThrow(path);
  });
});

describe("what does not go well", () => {
  test("a failure is recorded, the others go on, and it is tried again", async () => {
    const jobs = jobsOf(entries, 1);
    const broken = recorder((job) => {
      if (job.entry === "b") throw new Error("no memory");
      return scored(0.5);
    });
    const { results, isComplete } = await grid(jobs, broken);
    expect(isComplete).toBe(true);
    expect(results.map(({ kind }) => kind)).toEqual(["scored", "failed", "scored"]);
    expect(results[1]).toMatchObject({ scores: null, message: "no memory" });
    const again = recorder(() => scored(0.4));
    expect((await grid(jobs, again)).results[1]).toMatchObject({ kind: "scored" });
    expect(again.ran).toEqual(["b0"]);
  });

  test("a training that diverged is a result, and is not tried again", async () => {
    const jobs = jobsOf(entries, 1);
    await grid(
      jobs,
      recorder(() => ({ kind: "diverged", message: "not finite" })),
    );
    const { ran, run } = recorder(() => scored(0.5));
    const { results } = await grid(jobs, { run });
    expect(ran).toEqual([]);
    expect(results.map(({ kind }) => kind)).toEqual(["diverged", "diverged", "diverged"]);
  });

  test("collapsed: no better than one class everywhere, mIoU at most 1/C", async () => {
    const { results } = await grid(
      jobsOf(entries, 1),
      recorder(({ entry }) => scored(entry === "a" ? 0.25 : 0.26)),
    );
    expect(results.map(({ kind }) => kind)).toEqual(["collapsed", "scored", "scored"]);
  });

  test("what breaks while it is being stopped is not recorded", async () => {
    const stop = new AbortController();
    const run = () => {
      stop.abort();
      return Promise.reject(new Error("killed"));
    };
    expect(await grid(jobsOf(entries, 1), { run, signal: stop.signal })).toEqual({
      results: [],
      isComplete: false,
    });
    expect(readdirSync(folder)).toEqual([]);
  });
});

test("no more jobs at a time than asked for", async () => {
  let [running, most] = [0, 0];
  const seen: EntryResult[] = [];
  const run = async () => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 5));
    running -= 1;
    return scored(0.5);
  };
  await grid(jobsOf(entries, 4), { run, concurrency: 3, onResult: (result) => seen.push(result) });
  expect(most).toBe(3);
  expect(seen).toHaveLength(12);
});
