import { argumentError } from "../core/argument-error.ts";
import { DataError } from "../data/data-error.ts";
import { inProcessSlot, type Slot, type SlotEvents, workerFile, workerSlot } from "./slot.ts";
import { type Answer, fileOf, type ResultOf, type Task } from "./task.ts";

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
   * Does a task.
   *
   * @throws {DataError} If a file of the task cannot be read: the pool goes on.
   * @throws If a thread crashed or stalled, or the pool was disposed: nothing more can be asked of it.
   */
  run<T extends Task>(task: T): Promise<ResultOf<T>>;
}

/**
 * Starts the threads.
 *
 * @throws {RangeError} If a number makes no sense.
 */
export function createPool(options: PoolOptions): Pool {
  const { workers, stallSeconds } = options;
  if (!Number.isInteger(workers) || workers < 0)
    throw argumentError("createPool", "workers to be a whole number of at least 0", workers);
  if (!(stallSeconds > 0)) throw argumentError("createPool", "stallSeconds above 0", stallSeconds);
  if (workers === 0) return new SlotPool([inProcessSlot], stallSeconds);
  const file = options.workerFile ?? workerFile();
  const slots = Array.from(
    { length: workers },
    (_, i) => (events: SlotEvents) => workerSlot(file, i, events),
  );
  return new SlotPool(slots, stallSeconds);
}

interface Job {
  readonly task: Task;
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
}

/** A slot and what it is doing. */
interface Occupied {
  readonly slot: Slot;
  job: (Job & { waitedMs: number }) | null;
}

/** How often a stalled thread is looked for, at most. */
const WATCH_MS = 1000;
/** The most that counts between two looks, in intervals: a process that was suspended, or kept busy by a long step, has not looked. */
const MOST_INTERVALS = 2;

class SlotPool implements Pool {
  readonly #slots: Occupied[] = [];
  readonly #queue: Job[] = [];
  readonly #watchdog: NodeJS.Timeout;
  #failure: Error | null = null;

  constructor(openings: readonly ((events: SlotEvents) => Slot)[], stallSeconds: number) {
    for (const open of openings) {
      const occupied: Occupied = {
        slot: open({
          onAnswer: (answer) => this.#answered(occupied, answer),
          onCrash: (reason) => this.#crashed(occupied, reason),
        }),
        job: null,
      };
      this.#slots.push(occupied);
    }
    const interval = Math.min(WATCH_MS, stallSeconds * 250);
    let before = performance.now();
    this.#watchdog = setInterval(() => {
      const now = performance.now();
      this.#watch(stallSeconds, Math.min(now - before, MOST_INTERVALS * interval));
      before = now;
    }, interval).unref();
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
    for (const occupied of this.#slots) {
      if (occupied.job) continue;
      const job = this.#queue.shift();
      if (!job) return;
      occupied.job = { ...job, waitedMs: 0 };
      occupied.slot.start(job.task);
    }
  }

  #answered(occupied: Occupied, answer: Answer): void {
    const { slot, job } = occupied;
    occupied.job = null;
    this.#dispatch();
    if (!job) return;
    if ("result" in answer) job.resolve(answer.result as never);
    else if (answer.error.path !== null) job.reject(new DataError(answer.error.message, answer.error.path));
    else job.reject(new Error(`${slot.name} failed on ${job.task.sample.image}: ${answer.error.message}`));
  }

  #crashed({ slot, job }: Occupied, reason: string): void {
    const where = job ? ` while ${slot.stage()} of ${fileOf(job.task, slot.stage())}` : "";
    this.#fail(new Error(`${slot.name} of the loader crashed${where}: ${reason}`));
  }

  #watch(stallSeconds: number, passedMs: number): void {
    for (const { slot, job } of this.#slots) {
      if (!job) continue;
      job.waitedMs += passedMs;
      const seconds = job.waitedMs / 1000;
      if (seconds < stallSeconds) continue;
      const stage = slot.stage();
      this.#fail(
        new Error(
          `${slot.name} of the loader has been ${stage} for ${seconds.toFixed(1)} s: ${fileOf(job.task, stage)}; ` +
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
    const jobs = [...this.#slots.flatMap(({ job }) => job ?? []), ...this.#queue.splice(0)];
    for (const occupied of this.#slots) occupied.job = null;
    for (const { reject } of jobs) reject(failure);
    void this.#close();
  }

  #closed: Promise<unknown> | null = null;
  #close(): Promise<unknown> {
    clearInterval(this.#watchdog);
    this.#closed ??= Promise.all(this.#slots.map(({ slot }) => slot.close()));
    return this.#closed;
  }
}
