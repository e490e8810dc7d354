import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { writeScenes } from "../data/write-scenes.ts";
import { planExperiment, planText } from "./plan.ts";
import { planEntries } from "./plan-entries.ts";
import { PRESETS } from "./presets.ts";
import { type ReproduceOptions, reproduce, reproduceText } from "./reproduce.ts";
import { TABLES } from "./tables.ts";

const folder = mkdtempSync(join(tmpdir(), "armseg-reproduce-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Two iterations on images of 48 x 96. */
const TINY = [
  "schedule.iterations=2",
  "data.scenes.count.train=8",
  "data.scenes.count.val=2",
  "data.scenes.size=[48, 96]",
  "augmentation.crop=[32, 48]",
  "model.outputStride=32",
  "model.headChannels=8",
  "training.batchSize=2",
  "training.workers=0",
];
const figure4: ReproduceOptions = {
  experiment: "figure4",
  preset: "scenes",
  folder,
  seeds: 1,
  set: TINY,
  stream: null,
};

describe("two entries, one seed, two iterations of a real training", () => {
  test("each in a process of its own, then drawn", async () => {
    const result = await reproduce({ ...figure4, jobs: 2 });
    expect(result).toMatchObject({ isComplete: true, failures: [] });
    expect(result.entries.map(({ runs }) => runs.length)).toEqual([1, 1]);
    expect(result.files.map((file) => file.slice(folder.length + 1))).toEqual([
      "figure4.html",
      "figure4.json",
      ...["ce", "arm"].flatMap((method) =>
        ["low-variance", "variance"].flatMap((what) =>
          ["scene_000008", "scene_000009"].map(
            (scene) => `figure4-coarse-r18-deeplab-${method}-seed-0-${scene}-${what}.png`,
          ),
        ),
      ),
    ]);
    expect(readFileSync(result.files[0]!, "utf8")).toContain("data:image/png;base64,");
  });

  test("again, and for another figure of the same entries: nothing is trained", async () => {
    const run = () => Promise.reject(new Error("was asked to train"));
    expect((await reproduce({ ...figure4, run })).failures).toEqual([]);
    const figure5 = await reproduce({ ...figure4, experiment: "figure5", run });
    expect(figure5.failures).toEqual(["coarse-r18-deeplab-linear, seed 0: was asked to train"]);
    const svg = readFileSync(join(folder, "figure5-loss.svg"), "utf8");
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" /);
    const profiles = JSON.parse(readFileSync(join(folder, "figure5.json"), "utf8"));
    expect(profiles.map(({ cell }: { cell: string }) => cell)).toEqual([
      "coarse-r18-deeplab-ce",
      "coarse-r18-deeplab-arm",
    ]);
    for (const { count, meanLoss } of profiles) {
      expect(count).toHaveLength(32);
      expect(meanLoss.some((loss: number | null) => loss !== null && loss > 0)).toBe(true);
    }
  });

  test("the convergence study is drawn from the logs, flat curves included", async () => {
    const set = [...TINY, "schedule.iterations=3"];
    const entries = planEntries(TABLES.table1, PRESETS.scenes, { folder }, set);
    expect(entries.at(-1)?.config.schedule.iterations).toBe(3);
    const { drawConvergence } = await import("./convergence.ts");
    const arm = planEntries(TABLES.table1, PRESETS.scenes, { folder }, TINY).at(-1)!;
    const { jobsOf, runFolderOf } = await import("./job.ts");
    const run = { entry: arm, seed: 0, folder: runFolderOf(folder, jobsOf([arm], 1)[0]!) };
    const { numbers } = await drawConvergence([run]);
    expect(numbers).toMatchObject([{ multiplier: 10, p: 2 }]);
    const [{ points }] = numbers as [{ points: { iteration: number; ratio: number }[] }];
    expect(points.map(({ iteration }) => iteration)).toEqual([1, 2]);
    expect(points.every(({ ratio }) => ratio > 0)).toBe(true);
  });
});

test("a table is written as Markdown and JSON, and tells of failures", async () => {
  const outcome = { aAcc: 0.9, mAcc: 0.7, mIoU: 0.6, iou: [0.6, 0.6] };
  const result = await reproduce({
    ...figure4,
    folder: join(folder, "table"),
    experiment: "table1",
    seeds: 2,
    run: (job) =>
      job.entry.endsWith("arm")
        ? Promise.reject(new Error("no memory"))
        : Promise.resolve({ kind: "scored", scores: outcome }),
  });
  expect(result.failures).toEqual([0, 1].map((seed) => `coarse-r18-deeplab-arm, seed ${seed}: no memory`));
  expect(reproduceText(result)).toContain("failed: coarse-r18-deeplab-arm, seed 1: no memory");
  const text = readFileSync(join(folder, "table", "table1.md"), "utf8");
  expect(text).toMatch(/^# Table 1: .*\n\n.*\?\n\nPreset scenes: /);
  expect(text).toContain(
    "| 60.00 ± 0.00 | 0.00 (0.00 to 0.00) | 70.00 ± 0.00 | 90.00 ± 0.00 | 69.54 | 81.46 | 93.44 | 2 |",
  );
  const { cells } = JSON.parse(readFileSync(join(folder, "table", "table1.json"), "utf8"));
  expect(cells[0]).toMatchObject({ cell: "coarse-r18-deeplab-ce", base: null, mIoU: { mean: 0.6 } });
});

test("what is missing is named before anything is trained", async () => {
  await expect(reproduce({ ...figure4, experiment: "extension" })).rejects.toThrow(
    "preset scenes has no data for extension; use --preset paper",
  );
  const camvid = { ...figure4, preset: "camvid" as const, set: [] };
  await expect(reproduce(camvid)).rejects.toThrow("preset camvid needs --data");
  const weights = join(folder, "none.safetensors");
  await expect(reproduce({ ...figure4, weights })).rejects.toThrow(`${weights} does not exist`);
});

describe("the plan", () => {
  const coarse = TABLES.table3.entries.filter(({ data }) => data === "coarse");
  const entries = planEntries({ ...TABLES.table3, entries: coarse }, PRESETS.paper, { folder });
  const say = () => {};

  test("each network is timed once, and hours are iterations times seconds", async () => {
    const timed: string[] = [];
    const probe = (entry: (typeof entries)[number]) => {
      timed.push(entry.name);
      return Promise.resolve(0.9);
    };
    const plan = await planExperiment(entries, { seeds: 3, isDone: ({ seed }) => seed === 0, probe, say });
    expect(timed).toEqual(["coarse-r50-deeplab-ce", "coarse-r101-deeplab-ce", "coarse-r101-ocr-ce"]);
    expect(plan.trainings).toBe(2 * 6);
    expect(plan.hours).toBeCloseTo((2 * 6 * 40_000 * 0.9) / 3600, 9);
    expect(planText(plan)).toContain("12 trainings to do, about 120.0 h one after another");
  });

  test("without data or GPU the entries are listed all the same, with the reason", async () => {
    const probe = () => Promise.reject(new Error("no CUDA here"));
    const plan = await planExperiment(entries, { seeds: 1, isDone: () => false, probe, say });
    expect(plan).toMatchObject({ trainings: 6, hours: null });
    const text = planText(plan);
    expect(text).toContain("not timed: no CUDA here");
    expect(text).toMatch(/coarse-r101-ocr-arm .* 40,000/);
  });
});

test("CamVid: coarse labels are drawn once for all training images; own lists are taken where they are", async () => {
  // Scenes lie as CamVid does: images/<split>, labels/<split>, eleven classes.
  const data = join(folder, "camvid-like");
  await writeScenes(data, { count: 4, seed: 0, size: [36, 48], splits: { train: 0.5, val: 0.5 } });
  const run = () => Promise.resolve({ kind: "diverged", message: "not trained here" } as const);
  const out = join(folder, "camvid");
  const options = { ...figure4, folder: out, preset: "camvid", set: [], data, run } as const;
  const { entries } = await reproduce({ ...options, experiment: "table5" });
  expect(entries[0]?.entry.config.data).toMatchObject({ train: { split: "train" }, val: { split: "val" } });
  expect(entries[0]?.runs[0]?.kind).toBe("diverged");
  expect(readdirSync(join(out, "camvid-coarse", "labels"))).toHaveLength(2);
  const [image] = readdirSync(join(data, "images", "train"));
  const line = `images/train/${image} labels/train/${image?.replace(/\.\w+$/, ".png")}\n`;
  for (const split of ["dev-train", "dev-val"]) writeFileSync(join(data, `${split}.txt`), line);
  const table1 = await reproduce({ ...options, experiment: "table1" });
  expect(table1.entries[0]?.entry.config.data).toMatchObject({
    train: { split: "dev-train", masks: join(out, "camvid-coarse", "labels") },
    val: { split: "dev-val" },
  });
});

test("a job's process whose grid is gone stops", () => {
  // Without a channel to the grid there is nothing to do: it must not hang.
  const program = new URL("./job-process.ts", import.meta.url).pathname;
  const child = spawnSync(process.execPath, ["--import", "tsx", "--conditions=@armseg/source", program], {
    timeout: 20_000,
  });
  expect(child.status).toBe(0);
});
