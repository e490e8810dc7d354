import { readdirSync, readFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { generatedFiles } from "../scripts/generated-files.ts";
import { RECIPES } from "../scripts/paper-recipes.ts";
import { explainConfig } from "../src/config/explain-config.ts";
import { readConfig } from "../src/config/read-config.ts";
import { mapPaths } from "../src/config/schema.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

test.each([...generatedFiles()])("%s is what `npm run generate -w armseg` writes", (path, content) => {
  expect(readFileSync(`${root}${path}`, "utf8")).toBe(content);
});

test("recipes/ holds nothing else", () => {
  const files = readdirSync(`${root}recipes`);
  expect(files.sort()).toEqual(RECIPES.map(({ name }) => `${name}.yaml`).sort());
});

test("every key of the configuration is described", () => {
  const page = generatedFiles().get("docs/configuration.md") as string;
  const bare = page.split("\n").filter((line) => line.startsWith("| `") && /\|\s*\|$/.test(line));
  expect(bare).toEqual([]);
});

describe.each(RECIPES)("recipes/$name.yaml", ({ name, config }) => {
  const path = `${root}recipes/${name}.yaml`;

  test("loads, and is complete: no value but those of other formats comes from a default", () => {
    const defaults = explainConfig(path).filter(({ origin }) => origin === "default");
    const foreign = /^data\.(scenes\.|annotations$)/;
    expect(defaults.map(({ key }) => key).filter((key) => !foreign.test(key))).toEqual([]);
  });

  test("says what its entry in the table says", () => {
    const { scenes, ...data } = config.data;
    const said = { ...config, data: data.format === "scenes" ? config.data : data };
    expect(mapPaths(readConfig(path), (file) => relative(root, file))).toMatchObject(said);
  });

  test("has the header that every recipe has", () => {
    const text = readFileSync(path, "utf8");
    for (const part of ["Paper", "Expected", "Hardware", "Command"])
      expect(text).toMatch(new RegExp(`^# ${part} {2}`, "m"));
    expect(text).toContain(`armseg train recipes/${name}.yaml`);
  });
});

describe("the paper's protocol (section 4)", () => {
  const paper = RECIPES.filter(({ table }) => table.startsWith("Liu")).map(
    ({ config, name }) => [name, config] as const,
  );

  test.each(paper)("%s: batch 16, SGD 0.02, T and crop of the data set", (_name, config) => {
    const isAde = config.data.format === "ade20k";
    expect((config.training?.batchSize ?? 0) * (config.optimizer?.accumulate ?? 0)).toBe(16);
    expect(config.augmentation?.crop).toEqual(isAde ? [512, 512] : [512, 1024]);
    const extra = config.data.annotations === "extra";
    expect(config.schedule?.iterations).toBe(isAde ? 160_000 : extra ? 200_000 : 40_000);
  });
});
