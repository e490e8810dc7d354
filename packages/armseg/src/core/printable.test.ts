import { expect, test } from "vitest";
import { printable } from "./printable.ts";

test("control characters are spelled out, text stays", () => {
  expect(printable("road\x1b[2J\x07 \x9b31m\r")).toBe("road\\x1b[2J\\x07 \\x9b31m\\x0d");
  expect(printable("a\u202egnp.exe")).toBe("a\\u202egnp.exe");
  expect(printable("Straße 道路 👍\n\tx ━")).toBe("Straße 道路 👍\n\tx ━");
});
