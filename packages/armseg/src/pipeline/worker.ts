import { parentPort, workerData } from "node:worker_threads";
import sharp from "sharp";
import { DataError, messageOf } from "../data/data-error.ts";
import { runTask } from "./run-task.ts";
import { type Answer, STAGES, type Task } from "./task.ts";

// One thread per worker, and no cache of images that will not be seen again until the next epoch.
sharp.concurrency(1);
sharp.cache(false);

const port = parentPort;
if (!port) throw new Error("pipeline/worker: this file runs in worker threads only");
const stage = new Int32Array((workerData as { stage: SharedArrayBuffer }).stage);

port.on("message", async (task: Task) => {
  port.postMessage(...(await answer(task)));
  Atomics.store(stage, 0, 0);
});

async function answer(task: Task): Promise<[Answer, ArrayBuffer[]]> {
  try {
    const result = await runTask(task, (name) => Atomics.store(stage, 0, STAGES.indexOf(name)));
    return [{ result }, "image" in result ? [result.image.buffer as ArrayBuffer] : []];
  } catch (cause) {
    const path = cause instanceof DataError ? cause.path : null;
    const message =
      path === null && cause instanceof Error ? (cause.stack ?? cause.message) : messageOf(cause);
    return [{ error: { message, path } }, []];
  }
}
