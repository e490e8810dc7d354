import fs from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createRun, isRun, resumeRun } from "./run-folder.ts";
import { RunLog } from "./run-log.ts";
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

  test.each([
    ["a checkpoint", "checkpoints/iteration-00000004.safetensors"],
    ["a checkpoint of another name", "checkpoints/mine.safetensors"],
    ["the state of a training that failed", "failed.safetensors"],
  ])("refuses a folder whose run has %s, and says what to do", (_, state) => {
    const folder = temporaryFolder();
    createRun(folder, CONFIG)[Symbol.dispose]();
    fs.writeFileSync(join(folder, state), "");
    expect(() => createRun(folder, "seed: 2\n")).toThrow(
      `${folder} already holds a run. Continue it with --resume`,
    );
    expect(fs.readFileSync(join(folder, "config.yaml"), "utf8")).toBe(CONFIG);
  });

  test("starts a run afresh that never came to a checkpoint, and deletes nothing but its files", () => {
    const folder = temporaryFolder();
    const foreign = ["notes.txt", "checkpoints/notes.txt", "tensorboard/notes.txt", "cache/scan-train.json"];
    {
      using run = createRun(folder, CONFIG);
      using _log = new RunLog(run.paths);
      fs.mkdirSync(join(folder, "cache"));
      for (const file of [...foreign, "environment.json"]) fs.writeFileSync(join(folder, file), "");
    }
    using run = createRun(folder, "seed: 2\n");
    expect(fs.readFileSync(run.paths.config, "utf8")).toBe("seed: 2\n");
    expect(fs.readdirSync(run.paths.tensorboard)).toEqual(["notes.txt"]);
    expect([run.paths.metrics, run.paths.environment].some((file) => fs.existsSync(file))).toBe(false);
    for (const file of foreign) expect(fs.existsSync(join(folder, file)), file).toBe(true);
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
  test.each(["cache", "figures/samples", "taught/00000480", "maps/samples", "maps/samples/city"])(
    "removes what a killed process left in %s",
    (place) => {
      const folder = temporaryFolder();
      createRun(folder, CONFIG)[Symbol.dispose]();
      fs.mkdirSync(join(folder, place), { recursive: true });
      fs.writeFileSync(join(folder, place, ".armseg-1-01234567.tmp"), "");
      fs.writeFileSync(join(folder, place, "kept"), "");
      resumeRun(folder)[Symbol.dispose]();
      expect(fs.readdirSync(join(folder, place))).toContain("kept");
      expect(fs.readdirSync(join(folder, place))).not.toContain(".armseg-1-01234567.tmp");
    },
  );

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

test("resumeRun that fails holds no lock", () => {
  const folder = temporaryFolder();
  createRun(folder, CONFIG)[Symbol.dispose]();
  fs.rmSync(join(folder, "checkpoints"), { recursive: true });
  fs.writeFileSync(join(folder, "checkpoints"), "a file in the place of a folder");
  expect(() => resumeRun(folder)).toThrow("EEXIST");
  expect(fs.existsSync(join(folder, "run.lock"))).toBe(false);
});
