import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { workerFile } from "./slot.ts";

let folder: string;
let here: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "armseg-worker-"));
  for (const part of ["src/pipeline", "dist/pipeline"]) mkdirSync(join(folder, part), { recursive: true });
  here = pathToFileURL(join(folder, "src/pipeline/slot.ts")).href;
  write("src/pipeline/worker.ts", 1000);
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, seconds: number): void {
  writeFileSync(join(folder, name), "");
  utimesSync(join(folder, name), seconds, seconds);
}

test("built code finds the worker beside itself", () => {
  expect(workerFile("file:///a/src/b/dist/pipeline/slot.js").href).toBe(
    "file:///a/src/b/dist/pipeline/worker.js",
  );
});

test("sources find the built worker, and say so when it is missing or older than a source", () => {
  expect(() => workerFile(here)).toThrow(/worker\.js does not exist; run `npm run build:ts` first/);
  write("dist/pipeline/worker.js", 2000);
  expect(workerFile(here)).toEqual(pathToFileURL(join(folder, "dist/pipeline/worker.js")));
  write("src/pipeline/worker.ts", 3000);
  expect(() => workerFile(here)).toThrow(
    /worker\.ts is newer than its built file; run `npm run build:ts` first/,
  );
  write("dist/.tsbuildinfo", 4000);
  expect(workerFile(here).href).toContain("/dist/pipeline/worker.js");
});

test("tests are no part of the worker", () => {
  write("dist/pipeline/worker.js", 2000);
  write("src/pipeline/worker.test.ts", 3000);
  expect(workerFile(here).href).toContain("/dist/pipeline/worker.js");
});
