import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import type { MakeError } from "./file-errors.ts";
import { FileAccessError, FileFormatError, reasonOf } from "./file-errors.ts";

/** readSync() takes at most 2^31 - 1 bytes per call. */
const MAX_READ_BYTES = 2 ** 30;

/** A regular file open for positioned reads, which words errors with the caller's name and the path. */
export class InputFile {
  readonly caller: string;
  readonly path: string;
  readonly size: number;
  /** Makes the error to throw for a file whose content is wrong. */
  readonly error: MakeError;
  readonly #descriptor: number;

  constructor(caller: string, path: string) {
    this.caller = caller;
    this.path = path;
    this.error = (what, remedy, cause) => {
      const advice = remedy === undefined ? "" : `; ${remedy}`;
      return new FileFormatError(`${caller}(): ${path}: ${what}${advice}`, path, { cause });
    };
    this.#descriptor = openWithoutWaiting(caller, path);
    const stat = fstatSync(this.#descriptor);
    if (!stat.isFile()) {
      this.close();
      throw this.error("expected a regular file, got a folder, pipe or device");
    }
    this.size = stat.size;
  }

  /** Reads bytes `[offset, offset + length)`, in a buffer of their own that begins at its byte 0. */
  read(offset: number, length: number): Uint8Array {
    const end = offset + length;
    if (!(offset >= 0 && length >= 0 && end <= this.size)) {
      throw this.error(
        `expected bytes ${offset} to ${end}, got a file of ${this.size} bytes`,
        "it is truncated or damaged: fetch or write it again",
      );
    }
    const bytes = this.#allocate(length);
    let done = 0;
    while (done < length) {
      const count = this.#readChunk(bytes, done, Math.min(length - done, MAX_READ_BYTES), offset + done);
      if (count === 0) throw this.error("the file became shorter while it was read");
      done += count;
    }
    return bytes;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #allocate(length: number): Uint8Array {
    try {
      // Not from the pool: whoever views the bytes as wider numbers needs them aligned.
      return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
    } catch (error) {
      throw this.error(`cannot hold ${length} bytes in one buffer of this Node.js`, undefined, error);
    }
  }

  #readChunk(bytes: Uint8Array, at: number, length: number, position: number): number {
    try {
      return readSync(this.#descriptor, bytes, at, length, position);
    } catch (error) {
      const message = `${this.caller}(): ${this.path}: cannot be read: ${reasonOf(error)}`;
      throw new FileAccessError(message, this.path, { cause: error });
    }
  }
}

/** Runs `body` with the file open and closes it whatever happens. */
export function withInputFile<T>(caller: string, path: string, body: (file: InputFile) => T): T {
  const file = new InputFile(caller, path);
  try {
    return body(file);
  } finally {
    file.close();
  }
}

function openWithoutWaiting(caller: string, path: string): number {
  try {
    // A pipe without a writer would otherwise block the process for ever. Windows has no such flag.
    return openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    const message = `${caller}(): ${path}: cannot be opened: ${reasonOf(error)}`;
    throw new FileAccessError(message, path, { cause: error });
  }
}
