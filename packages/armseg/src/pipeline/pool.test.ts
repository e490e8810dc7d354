import { expect, test } from "vitest";
import { augmentationPresets } from "./augment.ts";
import { allocateBatch, type BatchFormat } from "./batch.ts";
import { createPool } from "./pool.ts";
import type { TrainingTask } from "./task.ts";

const faulty = new URL("./testing/faulty-worker.mjs", import.meta.url);
const format: BatchFormat = {
  batchSize: 1,
  size: [2, 2],
  weights: false,
};

function task(name: string): TrainingTask {
  return {
    kind: "training",
    taughtWeight: 1,
    sample: { name, image: `/images/${name}.png` },
    key: { seed: 0, iteration: 0, index: 0 },
    augmentation: augmentationPresets.camvid,
    format,
    memory: allocateBatch(format),
    index: 0,
  };
}

test("tasks of any number are done by few threads", async () => {
  await using pool = createPool({ workers: 2, stallSeconds: 10, workerFile: faulty });
  const names = Array.from({ length: 30 }, (_, i) => "x".repeat(i + 1));
  const results = await Promise.all(names.map((name) => pool.run(task(name))));
  expect(results.map(({ validPixels }) => validPixels)).toEqual(names.map(({ length }) => length));
});

test.each([
  ["exit", "it ended with code 3"],
  ["throw", "out of luck"],
])(
  "a thread that dies (%s) is an error that names thread, stage and file, for every task left",
  async (name, reason) => {
    await using pool = createPool({ workers: 1, stallSeconds: 10, workerFile: faulty });
    const doomed = [pool.run(task(name)), pool.run(task("fine"))];
    for (const { reason: error } of (await Promise.allSettled(doomed)) as PromiseRejectedResult[])
      expect((error as Error).message).toBe(
        `worker 0 of the loader crashed while reading the image of /images/${name}.png: ${reason}`,
      );
    await expect(pool.run(task("fine"))).rejects.toThrow("crashed");
  },
);

test.each(["silent", "busy"])(
  "a thread that stalls (%s) is named with its file and the seconds",
  async (name) => {
    await using pool = createPool({ workers: 2, stallSeconds: 1.5, workerFile: faulty });
    await pool.run(task("fine"));
    await expect(pool.run(task(name))).rejects.toThrow(
      /^worker 0 of the loader has been reading the image for [0-9.]+ s: \/images\/(silent|busy)\.png; check/,
    );
  },
);

test("a process that was suspended, or kept busy by a long step, does not blame its threads", async () => {
  await using pool = createPool({ workers: 1, stallSeconds: 3, workerFile: faulty });
  await pool.run(task("fine"));
  // Among the timers, so that the watch's own is due before any answer is read.
  await new Promise<void>((resolve) => setTimeout(resolve));
  const result = pool.run(task("fine"));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3200);
  await expect(result).resolves.toMatchObject({ validPixels: 4 });
});

test("disposing ends a busy thread at once and rejects what was waited for", async () => {
  const pool = createPool({ workers: 1, stallSeconds: 10, workerFile: faulty });
  const waiting = expect(pool.run(task("busy"))).rejects.toThrow("disposed");
  const since = performance.now();
  await pool[Symbol.asyncDispose]();
  await waiting;
  expect(performance.now() - since).toBeLessThan(1500);
});

test("a number of threads that makes no sense is a named error", () => {
  expect(() => createPool({ workers: -1, stallSeconds: 1 })).toThrow(
    "expected workers to be a whole number of at least 0, got -1",
  );
  expect(() => createPool({ workers: 1, stallSeconds: 0 })).toThrow("expected stallSeconds above 0, got 0");
});
