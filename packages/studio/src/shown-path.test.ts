import { join } from "node:path";
import { expect, test } from "vitest";
import { shownPath } from "./shown-path.ts";

test("paths are as one would type them here", () => {
  expect(shownPath(join(process.cwd(), "runs", "first"))).toBe("runs/first");
  expect(shownPath("/elsewhere/first")).toBe("/elsewhere/first");
  expect(shownPath("/else where/it's")).toBe("'/else where/it'\\''s'");
});
