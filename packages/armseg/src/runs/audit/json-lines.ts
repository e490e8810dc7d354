import fs from "node:fs";
import { createInterface } from "node:readline";
import type * as z from "zod";

/**
 * Yields the lines of a JSON-lines file one by one, checked: the memory does not grow with the file. A last line without its newline
 * that is no JSON was being written when its writer died, or still is, and is left out.
 *
 * @throws {Error} If the file is missing, or a line is not as the schema says; it names file, line, and what is wrong.
 */
export async function* readJsonLines<T>(path: string, schema: z.ZodType<T>): AsyncGenerator<T> {
  if (!fs.statSync(path).isFile())
    throw new Error(`readJsonLines(): expected a regular file, got a folder, pipe or device: ${path}`);
  const stream = fs.createReadStream(path, { encoding: "utf8" });
  let endsWithNewline = false;
  stream.on("data", (piece) => {
    endsWithNewline = piece.at(-1) === "\n";
  });
  let number = 0;
  // One line is held back, as only the last may be broken off.
  let held: string | undefined;
  for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (held !== undefined) yield parseLine(path, number, held, schema);
    held = line;
    number++;
  }
  if (held === undefined) return;
  if (endsWithNewline || isJson(held)) yield parseLine(path, number, held, schema);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function parseLine<T>(path: string, number: number, line: string, schema: z.ZodType<T>): T {
  const fail = (reason: string, cause?: unknown) =>
    new Error(`readJsonLines(): line ${number} of ${path}: ${reason}`, { cause });
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw fail(`expected JSON, got ${JSON.stringify(line.slice(0, 40))}; remove the line`, cause);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const where = issue.path.length > 0 ? `${issue.path.join(".")}: ` : "";
  throw fail(`${where}${issue.message}`, parsed.error);
}

/**
 * Appends a line to a JSON-lines file, handed to the disk before this returns. What a killed writer left half written at the end is
 * cut off first.
 *
 * @throws {Error} If the file cannot be written.
 */
export function appendJsonLine(path: string, value: unknown): void {
  const descriptor = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT);
  try {
    const end = endOfWholeLines(descriptor);
    fs.ftruncateSync(descriptor, end);
    const bytes = Buffer.from(`${JSON.stringify(value)}\n`);
    for (let done = 0; done < bytes.length; )
      done += fs.writeSync(descriptor, bytes, done, bytes.length - done, end + done);
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

const NEWLINE = 10;
const BLOCK = 4096;

/** Returns the offset behind the last line that is whole; one that lacks its newline alone is given it. */
function endOfWholeLines(descriptor: number): number {
  const { size } = fs.fstatSync(descriptor);
  const block = Buffer.alloc(BLOCK);
  let tail = "";
  for (let from = size; from > 0; ) {
    const start = Math.max(0, from - BLOCK);
    fs.readSync(descriptor, block, 0, from - start, start);
    const newline = block.subarray(0, from - start).lastIndexOf(NEWLINE);
    tail = block.toString("utf8", newline + 1, from - start) + tail;
    if (newline >= 0 || start === 0) {
      const end = start + newline + 1;
      if (tail === "" || !isJson(tail)) return end;
      fs.writeSync(descriptor, "\n", size);
      return size + 1;
    }
    from = start;
  }
  return 0;
}
