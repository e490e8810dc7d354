import * as z from "zod";
import { DataError, messageOf } from "../data-error.ts";
import { readBytes } from "../labels/raw-mask.ts";

/**
 * Read a JSON file and check its form.
 *
 * @throws {DataError} If it is missing, no JSON (with where it breaks off) or of another form (with the first wrong places).
 */
export async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  const value = parseJson(await readBytes(path), path);
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues
    .slice(0, 3)
    .map((issue) => `${issue.path.join(".") || "top level"}: ${issue.message}`);
  throw new DataError(`${path} is not as expected: ${issues.join("; ")}`, path);
}

function parseJson(bytes: Uint8Array, path: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new DataError(`${path} is not valid JSON (${messageOf(cause)}); is it truncated?`, path, cause);
  }
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
