import { duration } from "../core/progress.ts";

/** Iterations that are measured, after the first, which is slower than the others. */
const MEASURED = 4;

/** Says once, as soon as it is known, how long a training will take. */
export class TimeEstimate {
  readonly #start: number;
  readonly #iterations: number;
  readonly #now: () => number;
  #since = 0;

  /** @param start - Iterations done before. @param now - Clock, milliseconds since 1970. */
  constructor(start: number, iterations: number, now: () => number = Date.now) {
    this.#start = start;
    this.#iterations = iterations;
    this.#now = now;
  }

  /** Call it after each iteration. @returns The estimate, after the fifth iteration; else undefined. */
  after(iteration: number): string | undefined {
    const done = iteration - this.#start;
    if (done === 1) this.#since = this.#now();
    const left = this.#iterations - iteration;
    if (done !== 1 + MEASURED || left <= 0) return undefined;
    const rest = (left * (this.#now() - this.#since)) / MEASURED;
    const end = new Date(this.#now() + rest);
    const clock = `${two(end.getHours())}:${two(end.getMinutes())}`;
    const day =
      rest > 20 * 3_600_000
        ? ` on ${end.getFullYear()}-${two(end.getMonth() + 1)}-${two(end.getDate())}`
        : "";
    return `about ${duration(rest)} for the ${left} iterations left, until ${clock}${day}; evaluations come on top`;
  }
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
