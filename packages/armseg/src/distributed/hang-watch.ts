/** A main thread may work so many times longer without a sign than a process may be silent: an iteration can take minutes. */
const STUCK_FACTOR = 5;

/** What is known of a process. Times in milliseconds, of a clock that only goes forward. */
interface Known {
  readonly beatAt: number;
  /** When its main thread was last seen to go on. */
  readonly wentOnAt: number;
  readonly wentOn: number;
  readonly isWaiting: boolean;
  readonly hasBeaten: boolean;
}

/** A process that hangs. */
export interface Hung {
  readonly rank: number;
  readonly reason: string;
}

/**
 * Notices which of several processes hangs, from what each tells once a second (`heartbeat.ts`).
 *
 * A process hangs if it has been silent for the limit: stopped, or not run by its host. It also hangs if its main thread has
 * not gone on for five times the limit while another process has waited in a collective call as long; by itself a long
 * iteration is none. Processes that all wait, or all work, are none either.
 */
export class HangWatch {
  readonly #limitMs: number;
  readonly #processes = new Map<number, Known>();
  #lastLook: number;

  /** @param limitMs - How long a process may be silent. */
  constructor(limitMs: number, now: number) {
    this.#limitMs = limitMs;
    this.#lastLook = now;
  }

  /** A process was started. Until its first beat it has five times the limit: programs take long to load. */
  add(rank: number, now: number): void {
    this.#processes.set(rank, {
      beatAt: now,
      wentOnAt: now,
      wentOn: -1,
      isWaiting: false,
      hasBeaten: false,
    });
  }

  /**
   * A process beat.
   *
   * @param wentOn - How often its main thread went on so far.
   * @param isWaiting - Whether that is in a collective call.
   */
  beat(rank: number, wentOn: number, isWaiting: boolean, now: number): void {
    const before = this.#processes.get(rank);
    if (!before) return;
    const wentOnAt = wentOn === before.wentOn ? before.wentOnAt : now;
    this.#processes.set(rank, { beatAt: now, wentOnAt, wentOn, isWaiting, hasBeaten: true });
  }

  /** A process ended. */
  delete(rank: number): void {
    this.#processes.delete(rank);
  }

  /** The processes that hang; to be asked about once a second. */
  hung(now: number): Hung[] {
    this.#forgetPause(now);
    const stuckMs = STUCK_FACTOR * this.#limitMs;
    const known = [...this.#processes];
    const isAwaited = (rank: number) =>
      known.some(([other, each]) => other !== rank && each.isWaiting && now - each.wentOnAt > stuckMs);
    return known.flatMap(([rank, { beatAt, wentOnAt, isWaiting, hasBeaten }]) => {
      const limit = hasBeaten ? this.#limitMs : stuckMs;
      if (now - beatAt > limit) return { rank, reason: `it gave no sign of life for ${seconds(limit)}` };
      if (!isWaiting && now - wentOnAt > stuckMs && isAwaited(rank))
        return { rank, reason: `it did not go on for ${seconds(stuckMs)} while others waited for it` };
      return [];
    });
  }

  /** Whoever watches was stopped itself, with the machine or by Ctrl-Z: nothing could be heard meanwhile. */
  #forgetPause(now: number): void {
    const pause = now - this.#lastLook;
    this.#lastLook = now;
    if (pause < this.#limitMs / 2) return;
    for (const [rank, known] of this.#processes) {
      this.#processes.set(rank, {
        ...known,
        beatAt: known.beatAt + pause,
        wentOnAt: known.wentOnAt + pause,
      });
    }
  }
}

function seconds(milliseconds: number): string {
  return `${milliseconds / 1000} s`;
}
