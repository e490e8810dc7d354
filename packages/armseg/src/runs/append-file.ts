import fs from "node:fs";
import { diskRemedy } from "../core/disk-error.ts";

/**
 * A file that only grows, by whole pieces: a piece that does not fit on a full disk is taken back.
 *
 * What is written to a file that was removed is lost without a word from the operating system; so each writing looks whether
 * the file is still at its path.
 */
export class AppendFile implements Disposable {
  readonly path: string;
  #descriptor: number | undefined;
  #bytes: number;
  readonly #identity: string;

  /**
   * @param mode - `new` must create the file; `continue` creates it or goes on at its end.
   * @throws If `new` and the file exists.
   */
  constructor(path: string, mode: "new" | "continue") {
    this.path = path;
    this.#descriptor = fs.openSync(path, mode === "new" ? "ax" : "a");
    const stat = fs.fstatSync(this.#descriptor);
    this.#bytes = stat.size;
    this.#identity = identityOf(stat);
  }

  /**
   * Appends a piece, handed to the operating system before this returns: a killed process loses none of it.
   *
   * @throws If it cannot be written, the file then ends where it ended before; or if the file is no longer at its path.
   */
  append(piece: Uint8Array): void {
    const descriptor = this.#open();
    this.#requireInPlace();
    try {
      for (let done = 0; done < piece.length; ) done += fs.writeSync(descriptor, piece, done);
      this.#bytes += piece.length;
    } catch (cause) {
      fs.ftruncateSync(descriptor, this.#bytes);
      throw this.#failed("append", cause);
    }
  }

  /**
   * Makes everything appended so far survive a power failure.
   *
   * @throws If the disk fails, or the file is no longer at its path.
   */
  flush(): void {
    const descriptor = this.#open();
    this.#requireInPlace();
    this.#sync(descriptor);
  }

  #sync(descriptor: number): void {
    try {
      fs.fsyncSync(descriptor);
    } catch (cause) {
      throw this.#failed("flush", cause);
    }
  }

  #failed(method: string, cause: unknown): Error {
    const reason = `${(cause as Error).message}.${diskRemedy(cause)}`;
    return new Error(`AppendFile.${method}(): could not write ${this.path}: ${reason}`, { cause });
  }

  #requireInPlace(): void {
    const there = fs.statSync(this.path, { throwIfNoEntry: false });
    if (there && identityOf(there) === this.#identity) return;
    throw new Error(
      `AppendFile: ${this.path} is ${there ? "another file now" : "gone"}: it, or its folder, was removed or moved while it was written. Nothing more is written there.`,
    );
  }

  /** Flushes and closes; a second call does nothing. */
  [Symbol.dispose](): void {
    if (this.#descriptor === undefined) return;
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    try {
      this.#sync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
  }

  #open(): number {
    if (this.#descriptor === undefined) throw new Error(`AppendFile: ${this.path} is closed.`);
    return this.#descriptor;
  }
}

/** Tells a file from any other of this host. */
function identityOf({ dev, ino }: fs.Stats): string {
  return `${dev}:${ino}`;
}
