import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { Measurements } from "./measurements.ts";

const folder = mkdtempSync(join(tmpdir(), "measurements-"));
afterAll(() => rmSync(folder, { recursive: true }));
const isNumber = (value: unknown): value is number => typeof value === "number";

test("a measurement is made once for each key, and outlives the process that made it", () => {
  const file = join(folder, "new", "measurements.json");
  const measure = vi.fn(() => 3);
  expect(new Measurements(file).once("a", isNumber, measure)).toBe(3);
  expect(new Measurements(file).once("a", isNumber, measure)).toBe(3);
  expect(new Measurements(file).once("b", isNumber, () => 4)).toBe(4);
  expect(new Measurements(file).once("a", isNumber, () => 5)).toBe(3);
  expect(measure).toHaveBeenCalledTimes(1);
});

test("what cannot be read, written or is something else is measured anew", () => {
  const file = join(folder, "broken.json");
  writeFileSync(file, "{ no json");
  expect(new Measurements(file).once("a", isNumber, () => 1)).toBe(1);
  writeFileSync(file, JSON.stringify({ a: "text" }));
  expect(new Measurements(file).once("a", isNumber, () => 2)).toBe(2);
  expect(new Measurements(join(file, "below", "a-file.json")).once("a", isNumber, () => 6)).toBe(6);
});
