import { expect, test } from "vitest";
import { TimeEstimate } from "./time-estimate.ts";

/** What is said after each iteration, of two seconds each and a slow first one. */
function said(start: number, iterations: number): (string | undefined)[] {
  let now = new Date(2026, 10, 30, 13, 0, 0).getTime();
  const estimate = new TimeEstimate(start, iterations, () => now);
  return Array.from({ length: Math.min(8, iterations - start) }, (_, i) => {
    now += i === 0 ? 10_000 : 2_000;
    return estimate.after(start + i + 1);
  });
}

test("the time is said once, after five iterations, and the first does not count", () => {
  const lines = said(10, 1815);
  expect(lines.flatMap((line, i) => (line ? [[i + 1, line]] : []))).toEqual([
    [5, "about 1 h 00 min for the 1800 iterations left, until 14:00; evaluations come on top"],
  ]);
  expect(said(0, 5)).toEqual(Array(5).fill(undefined));
  expect(said(0, 100_005)[4]).toMatch(/until 20:3\d on 2026-12-02;/);
});
