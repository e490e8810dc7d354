import { open } from "node:fs/promises";
import { decodeRecord, NEWLINE } from "./metrics.ts";
import type { MetricsRecord } from "./records.ts";

/** So many bytes before the place that was read to must still be the same, or the log was cut back and grew again. */
const REMEMBERED = 256;
const PIECE = 1 << 20;

/** What a log has gained since it was looked at last. */
export interface NewRecords {
  readonly records: readonly MetricsRecord[];
  /** The log was cut back (a run that resumes) or replaced: these are its records from the beginning. */
  readonly isRestarted: boolean;
}

/** Reads a log as it grows: each call returns what came since the one before. It takes no lock and keeps no file open. */
export class MetricsFollower {
  readonly path: string;
  readonly #skipped: ReadonlySet<string>;
  #offset = 0;
  #tail = Buffer.alloc(0);
  #lines = 0;

  /** @param options.skip - Kinds of records that are passed over, unread. Default none. */
  constructor(path: string, options: { readonly skip?: readonly MetricsRecord["kind"][] } = {}) {
    this.path = path;
    this.#skipped = new Set(options.skip);
  }

  /**
   * Returns the records that were added; a half-written last line waits for its end.
   *
   * @throws If a line is damaged, naming it.
   */
  async read(): Promise<NewRecords> {
    await using file = await open(this.path).catch(ifMissing);
    if (!file) return this.#restart([]);
    const { size } = await file.stat();
    const isRestarted = !(await this.#continues(file, size));
    if (isRestarted) this.#restart([]);
    const records: MetricsRecord[] = [];
    let rest = Buffer.alloc(0);
    for (let at = this.#offset; at < size; ) {
      const piece = Buffer.alloc(Math.min(PIECE, size - at));
      const { bytesRead } = await file.read(piece, 0, piece.length, at);
      if (bytesRead === 0) break;
      at += bytesRead;
      const bytes = Buffer.concat([rest, piece.subarray(0, bytesRead)]);
      const end = bytes.lastIndexOf(NEWLINE) + 1;
      this.#decode(bytes.subarray(0, end), records);
      rest = bytes.subarray(end);
    }
    return { records, isRestarted };
  }

  #restart(records: readonly MetricsRecord[]): NewRecords {
    const isRestarted = this.#offset > 0;
    this.#offset = 0;
    this.#lines = 0;
    this.#tail = Buffer.alloc(0);
    return { records, isRestarted };
  }

  async #continues(file: Awaited<ReturnType<typeof open>>, size: number): Promise<boolean> {
    if (size < this.#offset) return false;
    const before = Buffer.alloc(this.#tail.length);
    await file.read(before, 0, before.length, this.#offset - before.length);
    return before.equals(this.#tail);
  }

  /** Takes whole lines. */
  #decode(bytes: Buffer, records: MetricsRecord[]): void {
    let lines = this.#lines;
    for (let start = 0; start < bytes.length; ) {
      const end = bytes.indexOf(NEWLINE, start);
      lines++;
      const line = bytes.toString("utf8", start, end);
      const kind = /^\{"kind":"(\w+)"/.exec(line)?.[1];
      if (kind === undefined || !this.#skipped.has(kind)) {
        const record = decodeRecord(line, this.path, lines);
        if (!this.#skipped.has(record.kind)) records.push(record);
      }
      start = end + 1;
    }
    this.#lines = lines;
    this.#offset += bytes.length;
    this.#tail = Buffer.from(Buffer.concat([this.#tail, bytes]).subarray(-REMEMBERED));
  }
}

function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT") return undefined;
  throw error;
}
