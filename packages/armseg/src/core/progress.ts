import { styleText } from "node:util";
import { printable } from "./printable.ts";

/** Where progress is written; `process.stderr`, so that standard output stays free for results. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const BAR = 24;
const TERMINAL_INTERVAL_MS = 100;
const PLAIN_INTERVAL_MS = 10_000;

/** Progress of a command: a bar with the time left on a terminal, a plain line now and then elsewhere. */
export class Progress implements Disposable {
  readonly #title: string;
  readonly #total: number;
  readonly #stream: ProgressStream;
  readonly #now: () => number;
  readonly #start: number;
  readonly #from: number;
  #shown = Number.NEGATIVE_INFINITY;
  #line = "";

  /**
   * @param total - What `update` counts to; at least 1.
   * @param options.from - Where the work begins: the iteration that a run is resumed at. Default 0.
   */
  constructor(
    title: string,
    total: number,
    options: { readonly from?: number; readonly stream?: ProgressStream; readonly now?: () => number } = {},
  ) {
    this.#title = printable(title);
    this.#from = options.from ?? 0;
    this.#total = total;
    this.#stream = options.stream ?? process.stderr;
    this.#now = options.now ?? (() => performance.now());
    this.#start = this.#now();
  }

  /**
   * Tells how far the work is; cheap, call it as often as you like.
   *
   * @param done - Of the total.
   * @param note - A few words, e.g. `loss 0.512`.
   */
  update(done: number, note = ""): void {
    const now = this.#now();
    const interval = this.#stream.isTTY ? TERMINAL_INTERVAL_MS : PLAIN_INTERVAL_MS;
    if (now - this.#shown < interval && done < this.#total) return;
    this.#shown = now;
    this.#show(done, [this.#time(done, now), printable(note)].filter((part) => part !== "").join("  "));
  }

  /** Writes a line of its own, above the bar. */
  print(text: string): void {
    this.#stream.write(`${this.#stream.isTTY ? "\r\x1b[K" : ""}${printable(text)}\n`);
    if (this.#line !== "") this.#stream.write(this.#line);
  }

  /** Ends the bar's line, so that what is printed next begins on its own. */
  [Symbol.dispose](): void {
    if (this.#stream.isTTY && this.#line !== "") this.#stream.write("\n");
    this.#line = "";
  }

  #show(done: number, rest: string): void {
    const counts = `${done}/${this.#total}`;
    if (!this.#stream.isTTY) {
      const percent = Math.floor((100 * done) / this.#total);
      this.#stream.write(`${this.#title}: ${counts} (${percent} %)  ${rest}`.trimEnd().concat("\n"));
      return;
    }
    const filled = Math.round((BAR * Math.min(done, this.#total)) / this.#total);
    const plain = `${this.#title} ${"━".repeat(filled)}${"─".repeat(BAR - filled)} ${counts}  ${rest}`;
    // A line that wraps could not be written over.
    this.#line = plain.slice(0, (this.#stream.columns ?? 80) - 1);
    this.#stream.write(`\r\x1b[K${this.#line.replace(/━+/, (bar) => styleText("green", bar))}`);
  }

  #time(done: number, now: number): string {
    const worked = done - this.#from;
    const elapsed = now - this.#start;
    if (done >= this.#total) return `done in ${duration(elapsed)}`;
    const left = (elapsed / worked) * (this.#total - done);
    // Of a fraction of a second nothing is known yet, or nothing need be said.
    return worked > 0 && left >= 1000 ? `${duration(left)} left` : "";
  }
}

/** Returns a time as text: `42 s`, `3 min 05 s`, `2 h 07 min`. */
export function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}
