import * as z from "zod";
import { DataError, messageOf } from "../data-error.ts";
import { readText } from "./text-file.ts";

/**
 * Reads a JSON file and checks its form.
 *
 * @throws {DataError} If it is missing, no JSON (with where it breaks off, or the place of a NaN) or of another form (with the first wrong places).
 */
export async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  const value = parseJson(await readText(path), path);
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues
    .slice(0, 3)
    .map((issue) => `${issue.path.join(".") || "top level"}: ${issue.message}`);
  throw new DataError(`${path} is not as expected: ${issues.join("; ")}`, path);
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const at = bareNumberAt(text);
    const reason =
      at === undefined
        ? ` (${messageOf(cause)}); is it truncated?`
        : `: ${text.slice(at).match(/^\w+/)} at ${placeOf(text, at)} is no number of JSON; write 0 or null for it`;
    throw new DataError(`${path} is not valid JSON${reason}`, path, cause);
  }
}

/** Where `NaN` or `Infinity` stands outside of texts: Python writes them, JSON has none. */
function bareNumberAt(text: string): number | undefined {
  const next = /"|NaN|Infinity/g;
  for (let found = next.exec(text); found; found = next.exec(text)) {
    if (found[0] !== '"') return found.index;
    next.lastIndex = endOfText(text, found.index);
  }
  return undefined;
}

/** Where a JSON text that begins at a quote is over. */
function endOfText(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

function placeOf(text: string, at: number): string {
  const before = text.slice(0, at);
  return `line ${before.split("\n").length}, column ${at - before.lastIndexOf("\n")}`;
}

/** A list of finite numbers, checked in place: large polygon files are not copied. */
export const numberList = z.custom<number[]>(
  (value) => Array.isArray(value) && value.every((x) => typeof x === "number" && Number.isFinite(x)),
  "expected a list of numbers",
);

/** A list of `[x, y]` points in pixels. */
export const pointList = z.custom<[number, number][]>(
  (value) =>
    Array.isArray(value) &&
    value.every(
      (point) => Array.isArray(point) && point.length === 2 && point.every((x) => Number.isFinite(x)),
    ),
  "expected a list of [x, y] points",
);

/** The side of an image in pixels. */
export const side = z.int().min(1).max(1_000_000);
