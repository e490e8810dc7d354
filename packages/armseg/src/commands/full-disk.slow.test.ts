import { existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setThreads } from "@armseg/torch";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkpointFileName } from "../runs/checkpoint-index.ts";
import { isRun } from "../runs/run-folder.ts";
import { validateCheckpoint } from "../training/checkpoint.ts";
import { type DiskFault, FailingDisk } from "./testing/failing-disk.ts";
import { expectSameCheckpoint } from "./testing/same-checkpoint.ts";
import { smallConfig } from "./testing/small-run.ts";
import { resumeTraining, startTraining } from "./train.ts";

const ITERATIONS = 4;
const folder = mkdtempSync(join(tmpdir(), "armseg-full-"));
const config = smallConfig(folder, { iterations: ITERATIONS, checkpointEvery: 2 });
const stream = null;
const checkpoint = (run: string, iteration: number) =>
  join(run, "checkpoints", checkpointFileName(iteration));
let operations = 0;

beforeAll(async () => {
  setThreads(1);
  const run = join(folder, "undisturbed");
  await startTraining(config, { folder: join(folder, "first"), stream }); // makes the scenes
  using disk = new FailingDisk(0, false);
  await startTraining(config, { folder: run, stream });
  operations = disk.count;
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true }));

/** Trains with a disk that fails, and returns its error; the checkpoints that are there are whole. */
async function failingAt(
  n: number,
  isPersistent: boolean,
  run: string,
  fault?: DiskFault,
): Promise<Error | undefined> {
  let error: Error | undefined;
  {
    using _disk = new FailingDisk(n, isPersistent, fault);
    await startTraining(config, { folder: run, stream }).catch((caught: Error) => {
      error = caught;
    });
  }
  for (const iteration of [2, 4]) {
    if (existsSync(checkpoint(run, iteration))) validateCheckpoint(checkpoint(run, iteration), { iteration });
  }
  return error;
}

/** All at the beginning, then every so many: most are the tensors of a checkpoint, one after another. */
function chosen(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1).filter(
    (n) => n <= 12 || n % 67 === 0 || n > count - 12,
  );
}

test.each([false, true])(
  "a disk that is full at one of its operations, and stays so: %s; the error names a file, and the run goes on when there is room",
  async (isPersistent) => {
    expect(operations).toBeGreaterThan(30);
    const faults: string[] = [];
    for (const n of chosen(operations)) {
      const run = join(folder, `full-${isPersistent}-${n}`);
      const error = await failingAt(n, isPersistent, run);
      // What is only a cache, a lock that is touched or a folder that is there may fail unheard.
      if (error && !error.message.includes(folder)) faults.push(`operation ${n}: ${error.message}`);
      await (isRun(run)
        ? resumeTraining({ folder: run, stream })
        : startTraining(config, { folder: run, stream }));
      expectSameCheckpoint(checkpoint(run, ITERATIONS), checkpoint(join(folder, "undisturbed"), ITERATIONS));
      rmSync(run, { recursive: true });
    }
    expect(faults).toEqual([]);
  },
  3_600_000,
);

test.each<[DiskFault, RegExp]>([
  ["EDQUOT", /quota exceeded.*free some space/s],
  ["EACCES", /permission denied.*grant it/s],
  ["EROFS", /read-only.*make it writable/s],
])(
  "a folder that cannot be written from some moment on (%s): an error that names a file and says what to do, and the run goes on afterwards",
  async (fault, message) => {
    for (const n of [operations - 60, operations - 5]) {
      const run = join(folder, `${fault}-${n}`);
      const error = await failingAt(n, true, run, fault);
      expect(error?.message).toMatch(message);
      expect(error?.message).toContain(run);
      await resumeTraining({ folder: run, stream });
      expectSameCheckpoint(checkpoint(run, ITERATIONS), checkpoint(join(folder, "undisturbed"), ITERATIONS));
    }
  },
  600_000,
);

test.each<[string, (run: string) => void]>([
  ["removed", (run) => rmSync(run, { recursive: true })],
  ["moved", (run) => renameSync(run, `${run}-elsewhere`)],
])(
  "a run folder that is %s while it is trained into: an error that names it, and no half of it anew",
  async (what, change) => {
    const run = join(folder, what);
    let iteration = 0;
    const signal = {
      get aborted() {
        if (iteration++ === 3) change(run);
        return false;
      },
    } as AbortSignal;
    await expect(startTraining(config, { folder: run, stream, signal })).rejects.toThrow(
      `${join(run, "metrics.jsonl")} is gone`,
    );
    expect(existsSync(run)).toBe(false);
  },
  120_000,
);
