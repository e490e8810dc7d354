import { existsSync, readdirSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { DataError, messageOf } from "../data/data-error.ts";
import { runTask } from "./run-task.ts";
import { type Answer, STAGES, type Stage, type Task } from "./task.ts";

/** One that does tasks, one at a time: a worker thread or this thread. */
export interface Slot {
  readonly name: string;
  start(task: Task): void;
  stage(): Stage;
  close(): Promise<unknown>;
}

/** What a slot tells its pool. */
export interface SlotEvents {
  readonly onAnswer: (answer: Answer) => void;
  readonly onCrash: (reason: string) => void;
}

/** A thread blocked in the operating system cannot be ended; it must not keep us waiting. */
const TERMINATION_MS = 2000;

/** Returns a worker thread of its own; `index` is its number in messages. */
export function workerSlot(file: URL, index: number, events: SlotEvents): Slot {
  const shared = new SharedArrayBuffer(4);
  const stage = new Int32Array(shared);
  const worker = new Worker(file, {
    workerData: { stage: shared },
    execArgv: [],
    name: `armseg-loader-${index}`,
  });
  let closing = false;
  // An idle thread keeps no process alive, a busy one does.
  worker.unref();
  worker.on("message", (answer: Answer) => {
    worker.unref();
    events.onAnswer(answer);
  });
  worker.on("error", (error) => events.onCrash(messageOf(error)));
  worker.on("exit", (code) => closing || events.onCrash(`it ended with code ${code}`));
  return {
    name: `worker ${index}`,
    start: (task) => {
      worker.ref();
      worker.postMessage(task);
    },
    stage: () => STAGES[Atomics.load(stage, 0)]!,
    close: () => {
      closing = true;
      // Both hold the process: one that awaits the end of its loader must live to see it.
      worker.ref();
      const patience = new AbortController();
      const timeout = sleep(TERMINATION_MS, undefined, { signal: patience.signal }).catch(() => {});
      return Promise.race([worker.terminate(), timeout]).finally(() => {
        patience.abort();
        worker.unref();
      });
    },
  };
}

/** Returns this thread. */
export function inProcessSlot(events: SlotEvents): Slot {
  let stage: Stage = "starting";
  const answer = async (task: Task): Promise<Answer> => {
    try {
      const result = await runTask(task, (name) => {
        stage = name;
      });
      return { result };
    } catch (cause) {
      return {
        error: { message: messageOf(cause), path: cause instanceof DataError ? cause.path : null },
      };
    }
  };
  return {
    name: "this thread",
    start: (task) => void answer(task).then(events.onAnswer),
    stage: () => stage,
    close: () => Promise.resolve(),
  };
}

const REMEDY = "run `npm run build:ts` first";

/**
 * Returns where the worker's JavaScript lies: beside this file once built, in `dist` while this file runs as TypeScript (tests, tsx), since worker
 * threads run JavaScript only.
 *
 * @param here - The file that asks.
 * @throws If it is not built, or older than the sources beside it.
 */
export function workerFile(here = import.meta.url): URL {
  if (!here.endsWith(".ts")) return new URL("./worker.js", here);
  const [, root, place] = /^(.*)\/src\/(.*?)[^/]*$/.exec(here) as unknown as [string, string, string];
  const built = new URL(`${root}/dist/${place}worker.js`);
  if (!existsSync(built)) throw new Error(`workerFile(): ${fileURLToPath(built)} does not exist; ${REMEDY}`);
  const record = new URL(`${root}/dist/.tsbuildinfo`);
  const stale = staleSource(new URL(".", here), new URL(".", built), record);
  if (stale) throw new Error(`workerFile(): ${stale} is newer than its built file; ${REMEDY}`);
  return built;
}

/** Finds the first source that was changed after the build. The build's own record counts too: unchanged output is not written again. */
function staleSource(sources: URL, outputs: URL, record: URL): string | undefined {
  const built = modified(record);
  return readdirSync(sources)
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .find((name) => {
      const output = new URL(name.replace(/ts$/, "js"), outputs);
      return modified(new URL(name, sources)) > Math.max(modified(output), built);
    });
}

function modified(file: URL): number {
  return existsSync(file) ? statSync(file).mtimeMs : 0;
}
