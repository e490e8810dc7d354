import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { madeUpRecords } from "../report/testing/made-up-run.ts";
import { createRun } from "../runs/run-folder.ts";
import { RunLog } from "../runs/run-log.ts";
import { temporaryFolder } from "../runs/testing/folders.ts";
import { compareRuns, comparisonText } from "./compare.ts";

function madeUp(folder: string, skill: number, count?: number): string {
  using run = createRun(folder, "seed: 1\n");
  using log = new RunLog(run.paths);
  const records = madeUpRecords({ iterations: 400, skill }).filter(({ kind }) => kind !== "sample");
  for (const record of records.slice(0, count)) log.log(record);
  return folder;
}

test("runs beside one another: scores, differences, classes and a page", () => {
  const folder = temporaryFolder();
  const [a, b, c] = [
    madeUp(join(folder, "a", "run"), 0.5),
    madeUp(join(folder, "b", "run"), 0.6),
    madeUp(join(folder, "c"), 0.6, 30),
  ];
  const out = join(folder, "page.html");
  const result = compareRuns([a, b, c], { out });
  const [first, second, third] = result.runs;
  expect([first!.isComplete, second!.isComplete, third!.isComplete]).toEqual([true, true, false]);
  expect([first!.difference, third!.difference]).toEqual([null, null]);
  expect(second!.difference).toBeCloseTo(second!.last!.mIoU - first!.last!.mIoU, 12);
  const text = comparisonText(result);
  expect(text).toMatch(/a\/run +400 +\d+\.\d\d +\d+\.\d\d +\d+\.\d\d$/m);
  expect(text).toMatch(/c +260 \(not finished\) +– +– +–$/m);
  expect(text).toMatch(/^sky +\d/m);
  const page = readFileSync(out, "utf8");
  for (const name of ["a/run", "b/run", "/c"]) expect(page).toContain(name);
  expect(() => compareRuns([a, b], { out })).toThrow("exists and is not overwritten; add --overwrite");
  writeFileSync(out, "");
  compareRuns([a, b], { out, overwrite: true });
  expect(readFileSync(out, "utf8")).toContain("Scores on dev-val");
});
