/**
 * Returns the error of an argument that a function cannot take: `name(): expected …, got …`, then the remedy.
 *
 * @param name - The function, or the class for its constructor, without brackets.
 * @param expected - What would have been right, e.g. `at least 2 classes`.
 * @param got - What was given. Texts are taken as they are, lists are shown in brackets.
 * @param remedy - What the caller can do, naming file and value where there are any. It follows a semicolon.
 */
export function argumentError(name: string, expected: string, got: unknown, remedy?: string): RangeError {
  const shown = Array.isArray(got) ? `[${got.join(", ")}]` : String(got);
  return new RangeError(`${name}(): expected ${expected}, got ${shown}${remedy ? `; ${remedy}` : ""}`);
}
