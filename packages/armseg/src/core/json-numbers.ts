/** The numbers that JSON cannot hold, by the strings that stand for them. */
const SPECIAL = new Map<unknown, number>([
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
  ["-0", -0],
]);

const LIKE_SPECIAL = /^~*(NaN|-?Infinity|-0)$/;
const ESCAPED = /^~+(NaN|-?Infinity|-0)$/;

const SPECIAL_TEXT = /"(?:NaN|-?Infinity|-0)"/;

/**
 * Returns JSON text on one line from which every number returns bitwise.
 *
 * Finite numbers are written in the shortest form that reads back as the same float64 (as JavaScript does). `NaN`,
 * `Infinity`, `-Infinity` and `-0` are written as the strings `"NaN"`, `"Infinity"`, `"-Infinity"` and `"-0"`; text that reads
 * like one of them gets a `~` in front, which reading takes off: a class may be called NaN.
 */
export function stringifyExactly(value: unknown): string {
  return JSON.stringify(value, (_key, field: unknown) => {
    if (typeof field === "number" && (!Number.isFinite(field) || Object.is(field, -0))) {
      return Object.is(field, -0) ? "-0" : String(field);
    }
    return typeof field === "string" && LIKE_SPECIAL.test(field) ? `~${field}` : field;
  });
}

/**
 * Reads what {@link stringifyExactly} wrote.
 *
 * @throws {SyntaxError} If the text is not JSON.
 */
export function parseExactly(text: string): unknown {
  // Most lines of a log have none of these, and without the callback they are read several times as fast.
  if (!SPECIAL_TEXT.test(text)) return JSON.parse(text);
  return JSON.parse(text, (_key, field: unknown) => {
    if (typeof field === "string" && ESCAPED.test(field)) return field.slice(1);
    return SPECIAL.get(field) ?? field;
  });
}
