/** The numbers that JSON cannot hold, by the strings that stand for them. */
const SPECIAL = new Map<unknown, number>([
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
  ["-0", -0],
]);

/**
 * Returns JSON text on one line from which every number returns bitwise.
 *
 * Finite numbers are written in the shortest form that reads back as the same float64 (as JavaScript does). `NaN`,
 * `Infinity`, `-Infinity` and `-0` are written as the strings `"NaN"`, `"Infinity"`, `"-Infinity"` and `"-0"`.
 *
 * @throws If a text field is one of these four words: it would read back as a number.
 */
export function stringifyExactly(value: unknown): string {
  return JSON.stringify(value, (key, field: unknown) => {
    if (typeof field === "number" && (!Number.isFinite(field) || Object.is(field, -0))) {
      return Object.is(field, -0) ? "-0" : String(field);
    }
    if (SPECIAL.has(field)) {
      throw new Error(`stringifyExactly(): text must not read as a number, got "${field}" in "${key}".`);
    }
    return field;
  });
}

/**
 * Reads what {@link stringifyExactly} wrote.
 *
 * @throws {SyntaxError} If the text is not JSON.
 */
export function parseExactly(text: string): unknown {
  return JSON.parse(text, (_key, field: unknown) => SPECIAL.get(field) ?? field);
}
