import fs from "node:fs";
import { parseExactly, stringifyExactly } from "../core/json-numbers.ts";
import { AppendFile } from "./append-file.ts";
import type { MetricsRecord } from "./records.ts";

/** The byte that ends a line. */
export const NEWLINE = 10;

/**
 * Appends records to `metrics.jsonl`.
 *
 * Flush policy: each record is one `write` of one whole line, so a killed process loses at most the line it is writing;
 * {@link MetricsWriter.flush} makes the lines survive a power failure, and is called before every checkpoint and at
 * the end. A line that does not fit on a full disk is taken back whole.
 */
export class MetricsWriter implements Disposable {
  readonly #file: AppendFile;
  #iteration = 0;

  /**
   * @param options.resumeAt - Iteration of the checkpoint that the run continues from: later records are cut off, as
   *   is a line that was only half written. Without it the file must not exist.
   * @throws If the file exists and the run is not resumed, or if a line of it is damaged.
   */
  constructor(path: string, options: { readonly resumeAt?: number } = {}) {
    const { resumeAt } = options;
    if (resumeAt !== undefined) this.#iteration = truncateMetrics(path, resumeAt);
    this.#file = new AppendFile(path, resumeAt === undefined ? "new" : "continue");
  }

  /**
   * Writes one record.
   *
   * @throws If the record's iteration lies before the last one's: resuming could not cut the log. Or if the disk is
   *   full: the log then ends with the record before.
   */
  append(record: MetricsRecord): void {
    if (!(Number.isInteger(record.iteration) && record.iteration >= this.#iteration)) {
      throw new Error(
        `MetricsWriter.append(): iteration must be an integer of at least ${this.#iteration}, the last record's; ` +
          `got ${record.iteration}.`,
      );
    }
    this.#file.append(Buffer.from(`${stringifyExactly(record)}\n`));
    this.#iteration = record.iteration;
  }

  /** Makes everything appended so far survive a power failure. */
  flush(): void {
    this.#file.flush();
  }

  /** Flushes and closes; a second call does nothing. */
  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}

/**
 * Reads a log, also while it is being written; a half-written last line is left out.
 *
 * @returns The records in order; none where the file does not exist.
 * @throws If another line is damaged, naming it.
 */
export function readMetrics(path: string): MetricsRecord[] {
  return readLines(path).map(({ record }) => record);
}

/**
 * Cuts a log back to what it held when `iteration` was finished: drops the records of later iterations and a
 * half-written last line. What remains equals, byte for byte, the log of a run that was stopped there.
 *
 * @returns The iteration of the last record that remains, 0 if none does.
 */
export function truncateMetrics(path: string, iteration: number): number {
  if (!fs.existsSync(path)) return 0;
  const kept = readLines(path).filter(({ record }) => record.iteration <= iteration);
  const end = kept.at(-1)?.end ?? 0;
  const descriptor = fs.openSync(path, "r+");
  try {
    fs.ftruncateSync(descriptor, end);
    // The last line may be whole but for its newline.
    if (end > 0) fs.writeSync(descriptor, "\n", end - 1);
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
  return kept.at(-1)?.record.iteration ?? 0;
}

interface Line {
  readonly record: MetricsRecord;
  /** Offset in bytes after the line's newline, whether that is there or not. */
  readonly end: number;
}

function readLines(path: string): Line[] {
  if (!fs.existsSync(path)) return [];
  const bytes = fs.readFileSync(path);
  const lines: Line[] = [];
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 ? bytes.length : newline;
    const record = decode(bytes.toString("utf8", start, end));
    if (record !== undefined) lines.push({ record, end: end + 1 });
    else if (newline >= 0) throw damaged(path, lines.length + 1);
    start = end + 1;
  }
  return lines;
}

/** A proper beginning of a JSON object is never JSON itself, so a half-written line cannot pass for a whole one. */
function decode(line: string): MetricsRecord | undefined {
  try {
    const record = parseExactly(line) as MetricsRecord;
    return typeof record.kind === "string" && Number.isInteger(record.iteration) ? record : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the record of a whole line. @throws If the line is damaged, naming it. */
export function decodeRecord(text: string, path: string, line: number): MetricsRecord {
  const record = decode(text);
  if (record === undefined) throw damaged(path, line);
  return record;
}

function damaged(path: string, line: number): Error {
  return new Error(
    `readMetrics(): line ${line} of ${path} must be a JSON object with "kind" and "iteration", and is not. ` +
      "Restore the file from a copy, or delete that line.",
  );
}
