import fs from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createRun, isRun, resumeRun } from "./run-folder.ts";
import { temporaryFolder } from "./testing/folders.ts";

const CONFIG = "seed: 1\n";

describe("createRun", () => {
  test("makes the folder and its parts, and writes the configuration", () => {
    const folder = join(temporaryFolder(), "runs", "a");
    using run = createRun(folder, CONFIG);
    expect(fs.readFileSync(run.paths.config, "utf8")).toBe(CONFIG);
    expect(fs.readdirSync(folder).sort()).toEqual([
      "checkpoints",
      "config.yaml",
      "figures",
      "run.lock",
      "tensorboard",
    ]);
  });

  test("refuses a folder that holds a run, names it and says what to do", () => {
    const folder = temporaryFolder();
    createRun(folder, CONFIG)[Symbol.dispose]();
    expect(() => createRun(folder, "seed: 2\n")).toThrow(
      `${folder} already holds a run. Continue it with --resume`,
    );
    expect(fs.readFileSync(join(folder, "config.yaml"), "utf8")).toBe(CONFIG);
  });

  test("refuses a folder that holds anything else, and leaves it alone", () => {
    const folder = temporaryFolder();
    fs.writeFileSync(join(folder, "thesis.tex"), "");
    expect(() => createRun(folder, CONFIG)).toThrow("must be empty, but holds thesis.tex");
    expect(fs.readdirSync(folder)).toEqual(["thesis.tex"]);
  });

  test("takes a folder whose run was killed before it wrote its configuration", () => {
    const folder = temporaryFolder();
    fs.writeFileSync(join(folder, ".config.yaml.armseg-1-01234567.tmp"), "se");
    createRun(folder, CONFIG)[Symbol.dispose]();
    expect(isRun(folder)).toBe(true);
  });
});

describe("resumeRun", () => {
  test("opens a run, restores missing folders and removes temporary files", () => {
    const folder = temporaryFolder();
    createRun(folder, CONFIG)[Symbol.dispose]();
    fs.rmdirSync(join(folder, "figures"));
    const left = join(folder, "checkpoints", ".index.json.armseg-1-01234567.tmp");
    fs.writeFileSync(left, "");
    using run = resumeRun(folder);
    expect(fs.existsSync(run.paths.figures)).toBe(true);
    expect(fs.existsSync(left)).toBe(false);
  });

  test("refuses a folder without a run, and a run in use", () => {
    const folder = temporaryFolder();
    expect(() => resumeRun(folder)).toThrow("has no config.yaml. Start it without --resume");
    using run = createRun(folder, CONFIG);
    expect(() => resumeRun(folder)).toThrow("must not be in use");
    expect(fs.existsSync(run.paths.lock)).toBe(true);
  });
});
