import fs from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { AppendFile } from "./append-file.ts";
import {
  fileVersionEvent,
  type SummaryValue,
  sessionStartEvent,
  summaryEvent,
  tfRecord,
} from "./tensorboard-events.ts";

const EVENT_FILE = /^events\.out\.tfevents\.(\d{10})\./;

/**
 * Writes a TensorBoard event file. Every event is one `write`, so a killed process loses at most the one it is writing.
 *
 * A resumed run opens a new file that sorts after the old ones and begins with a session start at the first iteration
 * it will write: TensorBoard then forgets the older files' values from there on, and shows none twice.
 */
export class TensorBoardWriter implements Disposable {
  readonly #file: AppendFile;
  readonly #now: () => number;

  /**
   * @param folder - Exists.
   * @param options.resumeAt - Iteration of the checkpoint that the run continues from.
   * @param options.now - Clock, milliseconds since 1970.
   */
  constructor(folder: string, options: { readonly resumeAt?: number; readonly now?: () => number } = {}) {
    this.#now = options.now ?? Date.now;
    this.#file = new AppendFile(join(folder, nextFileName(folder, this.#now())), "new");
    this.#write(fileVersionEvent(this.#seconds()));
    if (options.resumeAt !== undefined) this.#write(sessionStartEvent(this.#seconds(), options.resumeAt + 1));
  }

  /**
   * Writes values of one iteration.
   *
   * @throws If an image is no PNG or the disk is full.
   */
  write(iteration: number, values: readonly SummaryValue[]): void {
    if (values.length > 0) this.#write(summaryEvent(this.#seconds(), iteration, values));
  }

  /** The event file's path. */
  get path(): string {
    return this.#file.path;
  }

  /** Flushes and closes the file; a second call does nothing. */
  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }

  #write(event: Buffer): void {
    this.#file.append(tfRecord(event));
  }

  #seconds(): number {
    return this.#now() / 1000;
  }
}

/** Tells whether a file of this name was written by a {@link TensorBoardWriter}. */
export function isEventFile(name: string): boolean {
  return EVENT_FILE.test(name);
}

/** TensorBoard reads a folder's files in the order of their names: seconds, host, process. */
function nextFileName(folder: string, now: number): string {
  const taken = fs.readdirSync(folder).flatMap((name) => EVENT_FILE.exec(name)?.[1] ?? []);
  const seconds = Math.max(Math.floor(now / 1000), ...taken.map((digits) => Number(digits) + 1));
  return `events.out.tfevents.${String(seconds).padStart(10, "0")}.${hostname()}.${process.pid}.0`;
}
