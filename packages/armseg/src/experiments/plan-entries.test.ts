import { describe, expect, test } from "vitest";
import type { Experiment } from "./experiment.ts";
import type { METHODS } from "./methods.ts";
import { configHash, configOf, planEntries } from "./plan-entries.ts";
import { PRESETS, type PresetName } from "./presets.ts";
import { EXPERIMENTS, type ExperimentName } from "./reproduce.ts";
import { GRIDS, TABLES } from "./tables.ts";

const places = { folder: "out", data: "data", weights: "weights" };
const names = Object.keys(EXPERIMENTS) as ExperimentName[];
const presets = Object.keys(PRESETS) as PresetName[];
// Section 4.5's data are in the paper's preset alone.
const all = presets.flatMap((preset) =>
  names.filter((name) => name !== "extension" || preset === "paper").map((name) => [name, preset] as const),
);

describe.each(all)("%s with preset %s", (name, preset) => {
  const entries = planEntries(EXPERIMENTS[name], PRESETS[preset], places);

  test("every entry resolves, under a name of its own", () => {
    expect(entries.length).toBeGreaterThan(1);
    expect(new Set(entries.map((entry) => entry.name)).size).toBe(entries.length);
  });

  test("no two entries are the same experiment", () => {
    const hashes = entries.map(({ config, overrides }) => configHash(config, overrides));
    expect(new Set(hashes).size).toBe(entries.length);
  });

  test("what is compared differs in loss, reweighting and correction alone: the budget is the same", () => {
    for (const entry of entries) {
      const base = entries.find((other) => other.name === entry.base);
      if (!base) continue;
      const rest = ({
        name: _,
        loss: __,
        reweighting: ___,
        correction: ____,
        ...others
      }: typeof entry.config) => others;
      expect(rest(entry.config)).toEqual(rest(base.config));
      expect(entry.overrides).toEqual(base.overrides);
    }
  });
});

test("with the paper's preset every entry of every table is there", () => {
  for (const table of Object.values(TABLES))
    expect(planEntries(table, PRESETS.paper, places)).toHaveLength(table.entries.length);
});

test("the paper's protocol: batch 16, SGD 0.02, T and crop of the data set, OHEM's own numbers", () => {
  const paper = Object.values(TABLES).flatMap((table) => planEntries(table, PRESETS.paper, places));
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
])("a small preset with %s keeps OHEM's share of the batch", (_, set) => {
  for (const preset of [PRESETS.camvid, PRESETS.scenes]) {
    const entries = planEntries(TABLES.table5, preset, places, set);
    const { loss, training, augmentation } = entries.find(({ config }) => config.loss.ohem)!.config;
    const [height, width] = augmentation.crop;
    const share = loss.ohem!.minKept / (training.batchSize * height * width);
    expect(share).toBeCloseTo(100_000 / (2 * 512 * 1024), 4);
  }
});

test("a small scale has one multiplier for every entry of a table with ARM", () => {
  for (const preset of [PRESETS.camvid, PRESETS.scenes]) {
    const arms = Object.values(TABLES)
      .flatMap((table) => planEntries(table, preset, places))
      .filter(({ config }) => config.reweighting.curve === "arm");
    expect(new Set(arms.map(({ config }) => config.reweighting.learningRateMultiplier)).size).toBe(1);
  }
});

test("the one entry in several tables is one training", () => {
  const base = Object.values(TABLES).flatMap((table) =>
    planEntries(table, PRESETS.scenes, places).filter(({ name }) =>
      /^coarse-r18-deeplab-ce(-multi-scale)?$/.test(name),
    ),
  );
  expect(base).toHaveLength(6);
  expect(new Set(base.map(({ config }) => configHash(config))).size).toBe(1);
  expect(new Set(base.map(({ config, overrides }) => configHash(config, overrides))).size).toBe(2);
});

test("the grid of all tables holds every training of theirs once", () => {
  const hashes = (grids: readonly Experiment[]) =>
    grids.flatMap((grid) =>
      planEntries(grid, PRESETS.camvid, places).map(({ config }) => configHash(config)),
    );
  const all = hashes([GRIDS.tables]);
  const { table6: _, ...trained } = TABLES;
  expect(new Set(all).size).toBe(all.length);
  expect(new Set(all)).toEqual(new Set(hashes(Object.values(trained))));
});

test("an override reaches every entry, and a wrong one is named", () => {
  const entries = planEntries(TABLES.table1, PRESETS.scenes, places, ["schedule.iterations=7"]);
  expect(entries.map(({ config }) => config.schedule.iterations)).toEqual(entries.map(() => 7));
  expect(() => planEntries(TABLES.table1, PRESETS.scenes, places, ["schedule.iteration=7"])).toThrow(
    /did you mean schedule.iterations/,
  );
});

test("the hash changes with whatever a result depends on, and not with names and threads", () => {
  const config = configOf(TABLES.table1.entries[0]!, PRESETS.scenes, places);
  const changed = (part: object) => configHash({ ...config, ...part });
  expect(changed({ name: "other", training: { ...config.training, workers: 7 } })).toBe(configHash(config));
  expect(changed({ training: { ...config.training, seed: 1 } })).not.toBe(configHash(config));
  expect(changed({ loss: { ...config.loss, q: 0.2 } })).not.toBe(configHash(config));
  expect(configHash(config, ["evaluation.tta=mmseg"])).not.toBe(configHash(config));
});

test("keys that came later leave the hash alone at their defaults", () => {
  const config = configOf(TABLES.table1.entries[0]!, PRESETS.scenes, places);
  const { stages, frozenStages, ...model } = config.model;
  expect([stages, frozenStages]).toEqual([4, 0]);
  expect(configHash({ ...config, model: model as typeof config.model })).toBe(configHash(config));
  const withModel = (part: object) => configHash({ ...config, model: { ...config.model, ...part } });
  expect(withModel({ memoryFormat: "auto" })).toBe(withModel({ memoryFormat: "channels_last" }));
  expect(withModel({ headChannels: null })).toBe(withModel({ headChannels: 512 }));
  expect(configHash({ ...config, model: { ...config.model, stages: 3 } })).not.toBe(configHash(config));
});

test("a curve without parameters has no isolated phase, and what is set for one changes no hash", () => {
  const config = (method: keyof typeof METHODS) =>
    configOf({ data: "coarse", network: "r101-deeplab", method, paper: {} }, PRESETS.paper, places);
  const hashAt = (whole: ReturnType<typeof config>, isolatedFraction: number) =>
    configHash({ ...whole, reweighting: { ...whole.reweighting, isolatedFraction } });
  for (const method of ["ce", "linear", "linear-focus", "linear-no-detach"] as const) {
    expect(config(method).reweighting.isolatedFraction).toBe(0);
    expect(hashAt(config(method), 0.05)).toBe(configHash(config(method)));
  }
  expect(config("arm").reweighting.isolatedFraction).toBe(0.05);
  expect(hashAt(config("arm"), 0)).not.toBe(configHash(config("arm")));
});

test("the gap to fine labels is told of what is trained on others, and not of the base that it is measured from", () => {
  const entries = planEntries(EXPERIMENTS.correction, PRESETS.camvid, places);
  const untold = entries.filter(({ fine }) => fine === null).map(({ name }) => name);
  expect(untold).toEqual([
    "fine-r18-deeplab-ce",
    "fine-r18-deeplab-class-weights",
    "coarse-r18-deeplab-ce",
    "wrong-r18-deeplab-ce",
  ]);
});
