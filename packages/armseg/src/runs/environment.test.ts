import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { appendEnvironment, collectEnvironment, readEnvironments } from "./environment.ts";
import { temporaryFolder } from "./testing/folders.ts";

function workIn(folder: string): void {
  const before = process.cwd();
  process.chdir(folder);
  onTestFinished(() => process.chdir(before));
}

test("collects what this process runs on, and what only the caller knows", () => {
  const environment = collectEnvironment({ versions: { libtorch: "1.13.1" }, details: { device: "cpu" } });
  expect(environment.versions).toEqual({
    armseg: expect.stringMatching(/^\d+\.\d+\.\d+/),
    node: process.versions.node,
    libtorch: "1.13.1",
  });
  expect(environment.details).toEqual({ device: "cpu" });
  expect(environment.command).toEqual(process.argv);
  expect(environment.processors).toBeGreaterThan(0);
  expect(Date.now() - Date.parse(environment.date)).toBeLessThan(60_000);
  expect(environment).not.toHaveProperty("resumedAt");
});

test("tells the revision of a repository, and whether tracked files were changed", () => {
  const folder = temporaryFolder();
  const git = (...command: string[]) =>
    execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@b", ...command], {
      cwd: folder,
      encoding: "utf8",
    });
  git("init", "--quiet");
  fs.writeFileSync(join(folder, "a"), "1");
  git("add", "a");
  git("commit", "--quiet", "-m", "a");
  workIn(folder);
  const revision = git("rev-parse", "HEAD").trim();
  fs.writeFileSync(join(folder, "untracked"), "");
  expect(collectEnvironment().git).toEqual({ revision, isDirty: false });
  fs.writeFileSync(join(folder, "a"), "2");
  expect(collectEnvironment().git).toEqual({ revision, isDirty: true });
});

test("outside of a repository there is no revision", () => {
  workIn(temporaryFolder());
  expect(collectEnvironment().git).toBeUndefined();
});

test("every start of a run is kept, in order", () => {
  const path = join(temporaryFolder(), "environment.json");
  expect(readEnvironments(path)).toEqual([]);
  const starts = [collectEnvironment(), collectEnvironment({ resumedAt: 400 })];
  for (const start of starts) appendEnvironment(path, start);
  expect(readEnvironments(path)).toEqual(starts);
  expect(readEnvironments(path)[1]?.resumedAt).toBe(400);
  fs.writeFileSync(path, "[{");
  expect(() => readEnvironments(path)).toThrow(`${path} must be a JSON array`);
});
