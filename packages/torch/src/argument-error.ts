/**
 * Returns the error of an argument that a function cannot take: `name(): expected …, got …`, then the remedy.
 *
 * @param name - The function, or the class for its constructor, without brackets.
 * @param expected - What would have been right, e.g. `a probability in [0, 1]`.
 * @param got - What was given. Texts are taken as they are, lists are shown in brackets.
 * @param remedy - What the caller can do. It follows a semicolon.
 */
export function argumentError(name: string, expected: string, got: unknown, remedy?: string): RangeError {
  const shown = Array.isArray(got) ? `[${got.join(", ")}]` : String(got);
  return new RangeError(`${name}(): expected ${expected}, got ${shown}${remedy ? `; ${remedy}` : ""}`);
}
