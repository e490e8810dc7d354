import fs from "node:fs";

/** A file that only grows, by whole pieces: a piece that does not fit on a full disk is taken back. */
export class AppendFile implements Disposable {
  readonly path: string;
  #descriptor: number | undefined;
  #bytes: number;

  /**
   * @param mode - `new` must create the file; `continue` creates it or goes on at its end.
   * @throws If `new` and the file exists.
   */
  constructor(path: string, mode: "new" | "continue") {
    this.path = path;
    this.#descriptor = fs.openSync(path, mode === "new" ? "ax" : "a");
    this.#bytes = fs.fstatSync(this.#descriptor).size;
  }

  /**
   * Appends a piece, handed to the operating system before this returns: a killed process loses none of it.
   *
   * @throws If it cannot be written; the file then ends where it ended before.
   */
  append(piece: Uint8Array): void {
    const descriptor = this.#open();
    try {
      for (let done = 0; done < piece.length; ) done += fs.writeSync(descriptor, piece, done);
      this.#bytes += piece.length;
    } catch (cause) {
      fs.ftruncateSync(descriptor, this.#bytes);
      const reason = (cause as Error).message;
      throw new Error(`AppendFile.append(): could not write ${this.path}: ${reason}.`, { cause });
    }
  }

  /** Makes everything appended so far survive a power failure. */
  flush(): void {
    this.#sync(this.#open());
  }

  #sync(descriptor: number): void {
    try {
      fs.fsyncSync(descriptor);
    } catch (cause) {
      throw new Error(`AppendFile.flush(): could not write ${this.path}: ${(cause as Error).message}.`, {
        cause,
      });
    }
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
