import { describe, expect, test } from "vitest";
import type { Experiment } from "./cell.ts";
import type { METHODS } from "./methods.ts";
import { configHash, configOf, planCells } from "./plan-cells.ts";
import { EXPERIMENTS, type ExperimentName } from "./reproduce.ts";
import { SCALES, type ScaleName } from "./scales.ts";
import { GRIDS, TABLES } from "./tables.ts";

const places = { folder: "out", data: "data", weights: "weights" };
const names = Object.keys(EXPERIMENTS) as ExperimentName[];
const scales = Object.keys(SCALES) as ScaleName[];
// Section 4.5's data are at the paper's scale alone.
const all = scales.flatMap((scale) =>
  names.filter((name) => name !== "extension" || scale === "paper").map((name) => [name, scale] as const),
);

describe.each(all)("%s at scale %s", (name, scale) => {
  const cells = planCells(EXPERIMENTS[name], SCALES[scale], places);

  test("every cell resolves, under a name of its own", () => {
    expect(cells.length).toBeGreaterThan(1);
    expect(new Set(cells.map((cell) => cell.name)).size).toBe(cells.length);
  });

  test("no two cells are the same experiment", () => {
    const hashes = cells.map(({ config, overrides }) => configHash(config, overrides));
    expect(new Set(hashes).size).toBe(cells.length);
  });

  test("what is compared differs in loss and reweighting alone: the budget is the same", () => {
    for (const cell of cells) {
      const base = cells.find((other) => other.name === cell.base);
      if (!base) continue;
      const rest = ({ name: _, loss: __, reweighting: ___, ...others }: typeof cell.config) => others;
      expect(rest(cell.config)).toEqual(rest(base.config));
      expect(cell.overrides).toEqual(base.overrides);
    }
  });
});

test("at the paper's scale every cell of every table is there", () => {
  for (const table of Object.values(TABLES))
    expect(planCells(table, SCALES.paper, places)).toHaveLength(table.cells.length);
});

test("the paper's protocol: batch 16, SGD 0.02, T and crop of the data set, OHEM's own numbers", () => {
  const paper = Object.values(TABLES).flatMap((table) => planCells(table, SCALES.paper, places));
  for (const { config } of paper) {
    const { training, optimizer, schedule, augmentation, data, loss, reweighting } = config;
    expect(training.batchSize * optimizer.accumulate).toBe(16);
    expect([optimizer.learningRate, optimizer.weightDecay]).toEqual([0.02, 1e-4]);
    const iterations = data.format === "ade20k" ? 160_000 : data.annotations === "extra" ? 200_000 : 40_000;
    expect(schedule).toMatchObject({ iterations, warmupFraction: 0.05, drops: [0.6, 0.9] });
    expect(augmentation.crop).toEqual(data.format === "ade20k" ? [512, 512] : [512, 1024]);
    if (loss.ohem) expect(loss.ohem).toMatchObject({ threshold: 0.7, minKept: 100_000 });
    expect(reweighting.learningRateMultiplier).toBe(1);
  }
});

test.each([
  ["as it is", []],
  ["with another batch and crop", ["training.batchSize=16", "augmentation.crop=[64,64]"]],
])("a small scale %s keeps OHEM's share of the batch", (_, set) => {
  for (const scale of [SCALES.camvid, SCALES.scenes]) {
    const cells = planCells(TABLES.table5, scale, places, set);
    const { loss, training, augmentation } = cells.find(({ config }) => config.loss.ohem)!.config;
    const [height, width] = augmentation.crop;
    const share = loss.ohem!.minKept / (training.batchSize * height * width);
    expect(share).toBeCloseTo(100_000 / (2 * 512 * 1024), 4);
  }
});

test("a small scale has one multiplier for every cell of a table with ARM", () => {
  for (const scale of [SCALES.camvid, SCALES.scenes]) {
    const arms = Object.values(TABLES)
      .flatMap((table) => planCells(table, scale, places))
      .filter(({ config }) => config.reweighting.curve === "arm");
    expect(new Set(arms.map(({ config }) => config.reweighting.learningRateMultiplier)).size).toBe(1);
  }
});

test("the one cell in several tables is one training", () => {
  const base = Object.values(TABLES).flatMap((table) =>
    planCells(table, SCALES.scenes, places).filter(({ name }) =>
      /^coarse-r18-deeplab-ce(-multi-scale)?$/.test(name),
    ),
  );
  expect(base).toHaveLength(6);
  expect(new Set(base.map(({ config }) => configHash(config))).size).toBe(1);
  expect(new Set(base.map(({ config, overrides }) => configHash(config, overrides))).size).toBe(2);
});

test("the grid of all tables holds every training of theirs once", () => {
  const hashes = (grids: readonly Experiment[]) =>
    grids.flatMap((grid) => planCells(grid, SCALES.camvid, places).map(({ config }) => configHash(config)));
  const all = hashes([GRIDS.tables]);
  const { table6: _, ...trained } = TABLES;
  expect(new Set(all).size).toBe(all.length);
  expect(new Set(all)).toEqual(new Set(hashes(Object.values(trained))));
});

test("an override reaches every cell, and a wrong one is named", () => {
  const cells = planCells(TABLES.table1, SCALES.scenes, places, ["schedule.iterations=7"]);
  expect(cells.map(({ config }) => config.schedule.iterations)).toEqual(cells.map(() => 7));
  expect(() => planCells(TABLES.table1, SCALES.scenes, places, ["schedule.iteration=7"])).toThrow(
    /did you mean schedule.iterations/,
  );
});

test("the hash changes with whatever a result depends on, and not with names and threads", () => {
  const config = configOf(TABLES.table1.cells[0]!, SCALES.scenes, places);
  const changed = (part: object) => configHash({ ...config, ...part });
  expect(changed({ name: "other", training: { ...config.training, workers: 7 } })).toBe(configHash(config));
  expect(changed({ training: { ...config.training, seed: 1 } })).not.toBe(configHash(config));
  expect(changed({ loss: { ...config.loss, q: 0.2 } })).not.toBe(configHash(config));
  expect(configHash(config, ["evaluation.tta=mmseg"])).not.toBe(configHash(config));
});

test("a curve without parameters has no isolated phase, and what is set for one changes no hash", () => {
  const config = (method: keyof typeof METHODS) =>
    configOf({ data: "coarse", network: "r101-deeplab", method, paper: {} }, SCALES.paper, places);
  const hashAt = (whole: ReturnType<typeof config>, isolatedFraction: number) =>
    configHash({ ...whole, reweighting: { ...whole.reweighting, isolatedFraction } });
  for (const method of ["ce", "linear", "linear-focus", "linear-no-detach"] as const) {
    expect(config(method).reweighting.isolatedFraction).toBe(0);
    expect(hashAt(config(method), 0.05)).toBe(configHash(config(method)));
  }
  expect(config("arm").reweighting.isolatedFraction).toBe(0.05);
  expect(hashAt(config("arm"), 0)).not.toBe(configHash(config("arm")));
});
