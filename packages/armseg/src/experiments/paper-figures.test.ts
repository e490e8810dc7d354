import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { EntryResult } from "./entry-result.ts";
import type { ExperimentEntry, PaperFigures } from "./experiment.ts";
import { METHODS, type MethodName } from "./methods.ts";
import { MULTI_SCALE, OTHER_SYSTEMS, SINGLE_SCALE } from "./paper-figures.ts";
import { configHash, planEntries } from "./plan-entries.ts";
import { PRESETS } from "./presets.ts";
import { GRIDS, TABLES } from "./tables.ts";

const root = fileURLToPath(new URL("../../../../", import.meta.url));

type Figures = typeof SINGLE_SCALE;

/** `data network method` of every figure. */
function keysOf(figures: Figures): string[] {
  return Object.entries(figures).flatMap(([data, networks]) =>
    Object.entries(networks).flatMap(([network, methods]) =>
      Object.keys(methods).map((method) => `${data} ${network} ${method}`),
    ),
  );
}

function keyOf({ data, network, method }: ExperimentEntry): string {
  return `${data} ${network} ${method}`;
}

const allEntries: readonly ExperimentEntry[] = Object.values(GRIDS).flatMap(({ entries }) => [...entries]);

describe("entries", () => {
  test("have the figures of the golden list, and every figure has an entry that is the paper's", () => {
    for (const entry of allEntries) {
      const figures: Figures = entry.isMultiScale ? MULTI_SCALE : SINGLE_SCALE;
      expect(entry.paper).toEqual(figures[entry.data]?.[entry.network]?.[entry.method] ?? {});
    }
    const paperEntries = allEntries.filter(({ isOurs }) => !isOurs);
    const found = (isMultiScale: boolean) =>
      new Set(paperEntries.filter((entry) => Boolean(entry.isMultiScale) === isMultiScale).map(keyOf));
    expect(found(false)).toEqual(new Set(keysOf(SINGLE_SCALE)));
    expect(found(true)).toEqual(new Set(keysOf(MULTI_SCALE)));
  });

  test("of the paper's tables all have a figure; Focal, Meta-Weight-Net and KL on the variance are ours and have none", () => {
    for (const entry of allEntries)
      if (entry.paper.mIoU === undefined) expect(entry).toMatchObject({ isOurs: true, paper: {} });
    const none = allEntries.filter(({ paper }) => paper.mIoU === undefined).map(({ method }) => method);
    expect(new Set(none)).toEqual(new Set(["kl-arm", "focal", "meta-weight-net"]));
  });

  test("KL's gain of 2.80 is that of ARM on the s that KL predicts", () => {
    const { kl, "kl-arm-uncertainty": arm } = SINGLE_SCALE.coarse!["r101-deeplab"]!;
    expect((arm!.mIoU as number) - (kl!.mIoU as number)).toBeCloseTo(2.8, 10);
    expect(METHODS["kl-arm-uncertainty"].part.reweighting.indicator).toBe("kl");
  });

  test("the extension is section 4.5's, on val, and no row of a table", () => {
    expect(SINGLE_SCALE.extra!["r101-deeplab"]!.arm).toEqual({ mIoU: 73.9 });
    expect(
      Object.values(TABLES).flatMap(({ entries }) => entries.filter(({ data }) => data === "extra")),
    ).toEqual([]);
  });

  test("what is not known is just what we have no record of", () => {
    const unknown = keysOf(SINGLE_SCALE).filter((key) => {
      const entry = allEntries.find((found) => !found.isMultiScale && keyOf(found) === key);
      return entry?.paper.aAcc === null && entry.paper.mAcc === null;
    });
    expect(unknown.map((key) => key.split(" ")[2])).toEqual([
      "arm-std",
      "arm-log-var",
      "arm-p3",
      "gce",
      "gce-arm",
      "kl",
      "kl-arm-uncertainty",
    ]);
  });

  test("fourteen systems of others, each with at least one figure", () => {
    expect(OTHER_SYSTEMS).toHaveLength(14);
    for (const { cityscapes, ade20k } of OTHER_SYSTEMS) expect(cityscapes ?? ade20k).not.toBeNull();
  });
});

describe("recipes of table 6", () => {
  const recipes = readdirSync(`${root}recipes`).filter((name) => name.endsWith("-trainval.yaml"));

  test("train on train + val of Cityscapes, with the last checkpoint submitted under openseg's scales", () => {
    expect(recipes).toHaveLength(8);
    for (const name of recipes) {
      const text = readFileSync(`${root}recipes/${name}`, "utf8");
      expect(text).toMatch(/^ {2}train: \{ split: train\+val \}$/m);
      expect(text).toMatch(
        /armseg submit \S+ cityscapes --split test --checkpoint last .* --set evaluation\.tta=openseg$/m,
      );
    }
  });

  test("no other recipe promises a score of the test split", () => {
    for (const name of readdirSync(`${root}recipes`))
      if (!recipes.includes(name))
        expect(readFileSync(`${root}recipes/${name}`, "utf8")).not.toMatch(/on test|--split test/);
  });

  test("headers have the figures of the golden list", () => {
    for (const [figures, suffix] of [
      [SINGLE_SCALE, ""],
      [MULTI_SCALE, "-trainval"],
    ] as const)
      for (const data of ["fine", "coarse"] as const)
        for (const [network, methods] of Object.entries(figures[data] ?? {}))
          for (const [method, { mIoU }] of Object.entries(methods)) {
            const path = `${root}recipes/cityscapes-${data}-${network}-${method}${suffix}.yaml`;
            const expected = /^# Expected {2}(.*)$/m.exec(readFileSync(path, "utf8"))?.[1];
            expect(expected).toContain(`mIoU ${typeof mIoU === "number" ? mIoU.toFixed(2) : mIoU}`);
          }
  });

  test("test-time augmentation is OCR's", () => {
    const entries = planEntries(TABLES.table6, PRESETS.paper, { folder: "out" });
    for (const { overrides } of entries) expect(overrides).toEqual(["evaluation.tta=openseg"]);
  });
});

interface TableFile {
  readonly name: string;
  readonly title: string;
  readonly scale: "camvid" | "scenes";
  readonly cells: readonly { cell: string; method: string; isOurs: boolean; paper: PaperFigures }[];
}

describe.each(["camvid", "scenes"] as const)("results/%s", (preset) => {
  const folder = `${root}results/${preset}`;
  const files = readdirSync(folder);
  const read = <T>(name: string) => JSON.parse(readFileSync(`${folder}/${name}`, "utf8")) as T;

  test.each(files.filter((name) => /^tables?\d?\.json$/.test(name)))(
    "%s has the rows and figures of now",
    (name) => {
      const table = read<TableFile>(name);
      const grid = GRIDS[table.name as keyof typeof GRIDS];
      expect(`${table.name}.json`).toBe(name);
      expect(table.title).toBe(grid.title);
      const now = planEntries(grid, PRESETS[preset], { folder: "out" });
      expect(table.cells.map(({ cell, method, isOurs, paper }) => ({ cell, method, isOurs, paper }))).toEqual(
        now.map(({ name: cell, method, isOurs, paper }) => ({ cell, method, isOurs, paper })),
      );
    },
  );

  test("single results are found by their hash", () => {
    const results = files.filter((name) => /-seed-\d+-/.test(name));
    expect(results.length).toBeGreaterThan(30);
    for (const name of results) {
      const { config, overrides, hash } = read<EntryResult>(name);
      expect(name).toContain(hash);
      expect(configHash(config, overrides)).toBe(hash);
    }
  });
});

/** Method names of docs/results.md. */
const SHORT: Readonly<Record<string, MethodName>> = {
  ARM: "arm",
  GCE: "gce",
  "linear, suppress": "linear",
  "GCE with ARM (base: GCE)": "gce-arm",
  "KL with ARM on the variance (base: KL)": "kl-arm",
  "KL with ARM on its own uncertainty (base: KL)": "kl-arm-uncertainty",
};

function methodOf(text: string): MethodName {
  const plain = text.replace(/ †$/, "");
  const named = Object.entries(METHODS).find(([, { title }]) => title === plain)?.[0];
  return (SHORT[plain] ?? named) as MethodName;
}

/** The paper's column: the base's mIoU, differences to it, `NaN`, `none`. */
function paperColumn(
  data: "coarse" | "fine",
  network: "r101-deeplab" | "r101-ocr",
  method: MethodName,
): string {
  const figures = SINGLE_SCALE[data]![network]!;
  const own = figures[method]?.mIoU;
  if (own === undefined) return "none";
  if (own === "NaN" || method === "ce") return typeof own === "number" ? own.toFixed(2) : own;
  const base = figures[method === "gce-arm" ? "gce" : method.startsWith("kl-") ? "kl" : "ce"]!.mIoU as number;
  const difference = own - base;
  return `${difference > 0 ? "+" : "−"}${Math.abs(difference).toFixed(2)}`;
}

describe("docs/results.md", () => {
  const lines = readFileSync(`${root}docs/results.md`, "utf8").split("\n");
  const cellsOf = (line: string) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());
  let columns: string[] = [];
  let place: readonly ["coarse" | "fine", "r101-deeplab" | "r101-ocr"] = ["coarse", "r101-deeplab"];
  const rows: (readonly [text: string, expected: string, found: string])[] = [];
  for (const line of lines) {
    if (!line.startsWith("|")) {
      columns = [];
      continue;
    }
    const cells = cellsOf(line);
    if (columns.length === 0) {
      columns = cells;
      place = ["coarse", "r101-deeplab"];
    }
    const at = columns.findIndex((name) => name.startsWith("the paper's"));
    const label = columns.includes("labels, network") ? cells[0]! : "";
    const known = /^(coarse|fine), (DeepLabv3\+|OCR)$/.exec(label);
    if (known) place = [known[1] as "coarse" | "fine", known[2] === "OCR" ? "r101-ocr" : "r101-deeplab"];
    const method = methodOf(cells[columns.indexOf("method")] ?? "");
    if (at >= 0 && method) rows.push([`${place} ${method}`, paperColumn(...place, method), cells[at]!]);
  }

  test("has the paper's figures beside ours", () => {
    expect(rows.length).toBeGreaterThan(45);
    for (const [text, expected, found] of rows) expect(`${text}: ${found}`).toBe(`${text}: ${expected}`);
  });

  test("names the results that it is made from", () => {
    for (const [, path] of lines.join("\n").matchAll(/\]\(\.\.\/(results\/[\w./-]+)\)/g))
      expect(existsSync(`${root}${path}`)).toBe(true);
  });
});
