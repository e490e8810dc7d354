import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { DataError, messageOf } from "../data/data-error.ts";
import {
  type EvaluationResult,
  fileOf,
  type ResultOf,
  runTask,
  STAGES,
  type Stage,
  type Task,
  type TrainingResult,
} from "./task.ts";
import { workerFile } from "./worker-file.ts";

export interface PoolOptions {
  /** Threads; 0 works in this thread. */
  readonly workers: number;
  /** A task that takes longer than this is an error that names its file. */
  readonly stallSeconds: number;
  /** The file that each thread runs. Default: the pipeline's own. */
  readonly workerFile?: URL;
}

/** Threads that do tasks in the order of asking; which thread does which has no influence on a result. */
export interface Pool extends AsyncDisposable {
  /**
   * Do a task.
   *
   * @throws {DataError} If a file of the task cannot be read: the pool goes on.
   * @throws If a thread crashed or stalled, or the pool was disposed: nothing more can be asked of it.
   */
  run<T extends Task>(task: T): Promise<ResultOf<T>>;
}

/** A thread's answer to a task; an error with a path is a file that cannot be read. */
export type Answer =
  | { readonly result: TrainingResult | EvaluationResult }
  | { readonly error: { readonly message: string; readonly path: string | null } };

export function createPool(options: PoolOptions): Pool {
  const { workers, stallSeconds } = options;
  if (!Number.isInteger(workers) || workers < 0)
    throw new RangeError(`createPool(): workers must be a whole number of at least 0, got ${workers}.`);
  if (!(stallSeconds > 0))
    throw new RangeError(`createPool(): stallSeconds must be above 0, got ${stallSeconds}.`);
  const seats =
    workers === 0
      ? [(seat: SeatEvents) => inProcessSeat(seat)]
      : Array.from(
          { length: workers },
          (_, i) => (seat: SeatEvents) => workerSeat(options.workerFile ?? workerFile(), i, seat),
        );
  return new SeatPool(seats, stallSeconds);
}

/** One that does tasks: a worker thread or this thread. */
interface Seat {
  readonly name: string;
  start(task: Task): void;
  stage(): Stage;
  close(): Promise<unknown>;
}

interface SeatEvents {
  readonly onAnswer: (answer: Answer) => void;
  readonly onCrash: (reason: string) => void;
}

interface Job {
  readonly task: Task;
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
}

interface Place {
  readonly seat: Seat;
  job: (Job & { readonly since: number }) | null;
}

/** How often a stalled thread is looked for, at most. */
const WATCH_MS = 1000;

class SeatPool implements Pool {
  readonly #places: Place[] = [];
  readonly #queue: Job[] = [];
  readonly #watchdog: NodeJS.Timeout;
  #failure: Error | null = null;

  constructor(seats: readonly ((events: SeatEvents) => Seat)[], stallSeconds: number) {
    for (const open of seats) {
      const place: Place = {
        seat: open({
          onAnswer: (answer) => this.#answered(place, answer),
          onCrash: (reason) => this.#crashed(place, reason),
        }),
        job: null,
      };
      this.#places.push(place);
    }
    this.#watchdog = setInterval(
      () => this.#watch(stallSeconds),
      Math.min(WATCH_MS, stallSeconds * 250),
    ).unref();
  }

  run<T extends Task>(task: T): Promise<ResultOf<T>> {
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#queue.push({ task, resolve, reject });
      this.#dispatch();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#fail(new Error("the loader was disposed"));
    await this.#close();
  }

  #dispatch(): void {
    for (const place of this.#places) {
      if (place.job) continue;
      const job = this.#queue.shift();
      if (!job) return;
      place.job = { ...job, since: performance.now() };
      place.seat.start(job.task);
    }
  }

  #answered(place: Place, answer: Answer): void {
    const job = place.job;
    place.job = null;
    this.#dispatch();
    if (!job) return;
    if ("result" in answer) job.resolve(answer.result as never);
    else if (answer.error.path !== null) job.reject(new DataError(answer.error.message, answer.error.path));
    else
      job.reject(new Error(`${place.seat.name} failed on ${job.task.sample.image}: ${answer.error.message}`));
  }

  #crashed({ seat, job }: Place, reason: string): void {
    const where = job ? ` while ${seat.stage()} of ${fileOf(job.task, seat.stage())}` : "";
    this.#fail(new Error(`${seat.name} of the loader crashed${where}: ${reason}`));
  }

  #watch(stallSeconds: number): void {
    for (const { seat, job } of this.#places) {
      const seconds = job ? (performance.now() - job.since) / 1000 : 0;
      if (!job || seconds < stallSeconds) continue;
      const stage = seat.stage();
      this.#fail(
        new Error(
          `${seat.name} of the loader has been ${stage} for ${seconds.toFixed(1)} s: ${fileOf(job.task, stage)}; ` +
            "check the file and its disk, or raise stallSeconds",
        ),
      );
      return;
    }
  }

  /** Every task that is not done fails with the first failure; threads that may never answer are not waited for. */
  #fail(failure: Error): void {
    if (this.#failure) return;
    this.#failure = failure;
    const jobs = [...this.#places.flatMap(({ job }) => job ?? []), ...this.#queue.splice(0)];
    for (const place of this.#places) place.job = null;
    for (const { reject } of jobs) reject(failure);
    void this.#close();
  }

  #closed: Promise<unknown> | null = null;
  #close(): Promise<unknown> {
    clearInterval(this.#watchdog);
    this.#closed ??= Promise.all(this.#places.map(({ seat }) => seat.close()));
    return this.#closed;
  }
}

/** A thread blocked in the operating system cannot be ended; it must not keep us waiting. */
const TERMINATION_MS = 2000;

function workerSeat(file: URL, index: number, events: SeatEvents): Seat {
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

function inProcessSeat(events: SeatEvents): Seat {
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
