import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { appendEnvironment, collectEnvironment } from "../runs/environment.ts";
import { runPaths } from "../runs/run-folder.ts";
import { temporaryFolder } from "../runs/testing/folders.ts";
import { checkConfig, readConfig } from "./read-config.ts";
import { readRunConfig, runConfigText } from "./read-run-config.ts";
import { type ConfigInput, mapPaths } from "./schema.ts";

const EVERY_PATH: ConfigInput = {
  data: {
    format: "folder",
    root: "root",
    images: "images",
    masks: "masks",
    weights: "weights",
    train: { root: "r", images: "i", masks: "m", list: "l" },
    val: { root: "r", images: "i", masks: "m", list: "l" },
    scenes: { folder: "scenes" },
  },
  model: { weights: "w.pth" },
  training: { batchCache: "cache", from: "runs/a" },
};

test("weights by their name are no path", () => {
  const config = checkConfig({ ...EVERY_PATH, model: { weights: "imagenet" } }, "the test");
  expect(mapPaths(config, (path) => `there/${path}`).model.weights).toBe("imagenet");
});

test("every key that names a file or a folder is known, and nothing else", () => {
  const keys: string[] = [];
  mapPaths(checkConfig(EVERY_PATH, "the test"), (path, key) => {
    keys.push(key);
    return path;
  });
  const split = ["root", "images", "masks", "list"];
  const expected = [
    ...["root", "images", "masks", "weights", "scenes.folder"].map((key) => `data.${key}`),
    ...split.flatMap((key) => [`data.train.${key}`, `data.val.${key}`]),
    "model.weights",
    "training.batchCache",
    "training.from",
  ];
  expect(keys.sort()).toEqual(expected.sort());
});

describe("a configuration file", () => {
  const TEXT = "data: { format: folder, images: photos, masks: /masks, train: { list: ../train.txt } }\n";

  test("its paths follow the file; those of --set and absolute ones do not", () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "project"));
    const file = join(folder, "project", "armseg.yaml");
    writeFileSync(file, TEXT);
    const { data, model } = readConfig(file, ["data.val.list=val.txt", "model.weights=w.pth"]);
    expect(data).toMatchObject({
      images: join(folder, "project", "photos"),
      masks: "/masks",
      train: { list: join(folder, "train.txt") },
      val: { list: "val.txt" },
      scenes: { folder: join(folder, "project", "scenes") },
    });
    expect(model.weights).toBe("w.pth");
    expect(readConfig(file, ["data={ format: folder, images: x }"]).data.images).toBe("x");
  });

  test("beside the current folder's own file, paths stay as short as they are written", () => {
    const folder = temporaryFolder();
    const file = join(folder, "armseg.yaml");
    writeFileSync(file, TEXT);
    const before = process.cwd();
    process.chdir(folder);
    try {
      expect(readConfig("armseg.yaml").data.images).toBe("photos");
    } finally {
      process.chdir(before);
    }
  });
});

describe("a run", () => {
  /** A project with data and a run of them, as a start leaves it. */
  function project() {
    const folder = temporaryFolder();
    const run = join(folder, "project", "runs", "a");
    mkdirSync(run, { recursive: true });
    mkdirSync(join(folder, "project", "photos"));
    const images = join(folder, "project", "photos");
    const { config, environment } = runPaths(run);
    writeFileSync(config, runConfigText(checkConfig({ data: { format: "folder", images } }, "the test")));
    appendEnvironment(environment, collectEnvironment({ runFolder: run }));
    return { folder, run, images };
  }

  test("works from another place, and finds data that moved with it", () => {
    const { folder, run, images } = project();
    renameSync(run, join(folder, "b"));
    expect(readRunConfig(join(folder, "b")).data.images).toBe(images);
    renameSync(join(folder, "b"), run);
    renameSync(join(folder, "project"), join(folder, "elsewhere"));
    const moved = join(folder, "elsewhere", "runs", "a");
    expect(readRunConfig(moved).data.images).toBe(join(folder, "elsewhere", "photos"));
    expect(readRunConfig(moved, ["data.images=here"]).data.images).toBe("here");
  });

  test("keeps absolute paths", () => {
    const text = runConfigText(checkConfig({ data: { format: "folder", images: "photos" } }, "the test"));
    expect(text).toContain(`images: ${join(process.cwd(), "photos")}`);
  });

  test("of an older version: its relative paths hold from where armseg was started", () => {
    const { run } = project();
    const { config, environment } = runPaths(run);
    writeFileSync(config, "data: { format: folder, images: photos }\n");
    const { runFolder: _, ...older } = collectEnvironment();
    writeFileSync(environment, JSON.stringify([{ ...older, workingFolder: run }]));
    expect(readRunConfig(run).data.images).toBe(join(run, "photos"));
    writeFileSync(environment, JSON.stringify([{ ...older, workingFolder: join(run, "gone") }]));
    expect(readRunConfig(run).data.images).toBe("photos");
  });
});
