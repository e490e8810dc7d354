import { createHash } from "node:crypto";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { parse } from "yaml";
import { runCommandLine } from "../cli/run-command-line.ts";
import { openData } from "../config/open-data.ts";
import { checkConfig } from "../config/read-config.ts";
import { runConfigText } from "../config/read-run-config.ts";
import type { Config } from "../config/schema.ts";
import { regionMask } from "../core/region-mask.ts";
import { writeRgbPng } from "../data/drawing/index.ts";
import { readLabel } from "../data/labels/read-label.ts";
import type { Dataset } from "../data/sample.ts";
import { encodePng } from "../data/test-support.ts";
import { type AuditRegion, appendVerdict, auditPaths, type Verdict } from "../runs/audit/index.ts";
import { createRun } from "../runs/run-folder.ts";
import { correctLabels, correctText } from "./correct.ts";

let root: string;
let run: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "armseg-correct-"));
  run = join(root, "run");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const [height, width] = [4, 6];
const classes = [
  { name: "road", color: [128, 64, 128] as const },
  { name: "car", color: [0, 0, 142] as const },
];
/** Upper half road, lower half car, the last column void. */
const LABEL = Uint8Array.from({ length: height * width }, (_, i) =>
  i % width === width - 1 ? 255 : i < 12 ? 0 : 1,
);

/** Two images of a folder data set, the masks in values or colours of its own. */
async function folderRun(encode: (label: Uint8Array) => Uint8Array, data: object): Promise<Config> {
  for (const name of ["a", "b"]) {
    const image = { height, width, data: new Uint8Array(3 * height * width).fill(90) };
    await writeRgbPng(join(root, "images", "sub", `${name}.png`), image);
    mkdirSync(join(root, "masks", "sub"), { recursive: true });
    writeFileSync(join(root, "masks", "sub", `${name}_L.png`), encode(LABEL));
  }
  return makeRun({
    format: "folder",
    images: join(root, "images"),
    masks: join(root, "masks"),
    maskEnding: "_L",
    classes,
    ...data,
  });
}

function makeRun(data: object): Config {
  const config = checkConfig({ data }, "the test");
  createRun(run, runConfigText(config))[Symbol.dispose]();
  mkdirSync(auditPaths(run).folder);
  return config;
}

const values = (label: Uint8Array) =>
  encodePng(
    0,
    8,
    height,
    width,
    label.map((value) => ({ 0: 7, 1: 26 })[value] ?? 0),
  );
const VALUES = { labels: { encoding: "values", map: { 0: "ignore", 7: "road", 26: "car" } } };

/** The summary of an audit: the share of each class's pixels that is predicted as another. */
function writeSummary(disagreeing: readonly number[]): void {
  const summary = {
    ...{ version: 1, checkpoint: "c", dataset: "d", split: "train", images: 2, regions: 3, folds: 1 },
    ...{ leastArea: null, measure: null, seconds: 1 },
    classes: classes.map((own, i) => ({
      ...own,
      ...{ threshold: 0.5, labelled: 100, disagreeing: 100 * disagreeing[i]!, suspicious: 1, regions: 1 },
      predictedAs: [],
    })),
  };
  writeFileSync(auditPaths(run).summary, JSON.stringify(summary));
}

/** A verdict on the rectangle of rows 1 and 2, columns 0 and 1: two pixels of road above two of car. */
function verdictFor(dataset: Dataset, given: object, index = 0): Verdict {
  const { name, annotation } = dataset.samples[index]!;
  return {
    image: name,
    region: `${name}#1`,
    labelFile: "x",
    labelSha256: createHash("sha256").update(readFileSync(annotation!.path)).digest("hex"),
    size: [height, width],
    mask: regionMask({ top: 1, left: 0, height: 2, width: 2 }, () => true),
    ...given,
  } as Verdict;
}

async function labelsOf(config: Config["data"], purpose: "train" | "val" = "train"): Promise<Uint8Array[]> {
  const { samples } = await openData(config, purpose);
  const labels: Uint8Array[] = [];
  for (const { annotation } of samples) labels.push((await readLabel(annotation!, [height, width])).data);
  return labels;
}

/** The data that the corrected labels say of themselves, as a configuration reads it. */
function correctedData(out: string): Config["data"] {
  return checkConfig(parse(readFileSync(join(out, "data.yaml"), "utf8")), "the test").data;
}

const changed = (change: Record<number, number>) => LABEL.map((value, i) => change[i] ?? value);

describe("verdicts are applied to copies", () => {
  test("in the data set's own values; labels that are not changed are copied byte by byte", async () => {
    const { data } = await folderRun(values, VALUES);
    const dataset = await openData(data, "train");
    const sources = dataset.samples.map(({ annotation }) => readFileSync(annotation!.path));
    appendVerdict(auditPaths(run).verdicts, verdictFor(dataset, { verdict: "prediction", class: 1 }));
    const out = join(root, "labels-2");
    const outcome = await correctLabels({ folder: run, out });
    expect(outcome).toMatchObject({ labels: 2, changedLabels: 1, refused: [] });
    expect(outcome.changes).toEqual([{ from: 0, to: 1, pixels: 2 }]);
    expect(correctText(outcome)).toContain("road → car  2 pixels");
    expect(await labelsOf(correctedData(out))).toEqual([changed({ 6: 1, 7: 1 }), LABEL]);
    expect(readFileSync(join(out, "labels", "sub", "b.png"))).toEqual(sources[1]);
    // The validation split is as it was, and so are the sources.
    expect(await labelsOf(correctedData(out), "val")).toEqual([LABEL, LABEL]);
    dataset.samples.forEach(({ annotation }, i) => {
      expect(readFileSync(annotation!.path)).toEqual(sources[i]);
    });
    expect(readdirSync(root).sort()).toEqual(["images", "labels-2", "masks", "run"]);
  });

  test("in colours, also where none meant void before", async () => {
    const colors = (label: Uint8Array) =>
      encodePng(
        2,
        8,
        height,
        width,
        [...label].flatMap((value) => [...(classes[value] ?? classes[0])!.color]),
      );
    const map = Object.fromEntries(classes.map(({ name, color }) => [color.join(","), name]));
    const { data } = await folderRun(colors, { labels: { encoding: "colors", map } });
    const dataset = await openData(data, "train");
    const [all] = await labelsOf(data);
    appendVerdict(auditPaths(run).verdicts, verdictFor(dataset, { verdict: "void" }));
    const out = join(root, "out");
    await correctLabels({ folder: run, out });
    const expected = all!.map((value, i) => ([6, 7, 12, 13].includes(i) ? 255 : value));
    expect(await labelsOf(correctedData(out))).toEqual([expected, all]);
  });

  test("of CamVid in the place of its masks", async () => {
    for (const [folder, name] of [
      ["images", "x"],
      ["labels", "x"],
    ] as const) {
      const path = join(root, folder, "train", `${name}.png`);
      if (folder === "images")
        await writeRgbPng(path, { height, width, data: new Uint8Array(3 * height * width) });
      else {
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, encodePng(0, 8, height, width, LABEL));
      }
    }
    for (const list of ["train", "val"])
      writeFileSync(join(root, `${list}.txt`), "images/train/x.png labels/train/x.png\n");
    const { data } = makeRun({ format: "camvid", root });
    const dataset = await openData(data, "train");
    appendVerdict(auditPaths(run).verdicts, verdictFor(dataset, { verdict: "prediction", class: 8 }));
    const out = join(root, "out");
    await correctLabels({ folder: run, out });
    expect(correctedData(out).train.masks).toBe(join(out, "labels"));
    const keys = Object.keys(parse(readFileSync(join(out, "data.yaml"), "utf8")).data);
    expect(keys.sort()).toEqual(["format", "root", "train", "val"]);
    expect(await labelsOf(correctedData(out))).toEqual([changed({ 6: 8, 7: 8, 12: 8, 13: 8 })]);
  });

  test("of another format as class indices, with the validation labels beside them", async () => {
    const { data } = makeRun({
      format: "scenes",
      annotations: "coarse",
      scenes: { folder: join(root, "scenes"), count: { train: 2, val: 1 }, size: [height * 8, width * 8] },
    });
    const dataset = await openData(data, "train");
    const mask = regionMask({ top: 0, left: 0, height: 3, width: 3 }, () => true);
    const size = [height * 8, width * 8];
    const painted = [{ class: 8, mask }];
    const verdict = verdictFor(dataset, { verdict: "painted", painted, mask, size }, 1);
    appendVerdict(auditPaths(run).verdicts, verdict);
    const out = join(root, "out");
    await correctLabels({ folder: run, out });
    const corrected = await openData(correctedData(out), "train");
    expect(corrected.samples.map(({ name, image }) => [name, image])).toEqual(
      dataset.samples.map(({ name, image }) => [name, image]),
    );
    const read = async ({ samples }: Dataset, i: number) => (await readLabel(samples[i]!.annotation!)).data;
    expect(await read(corrected, 0)).toEqual(await read(dataset, 0));
    const expected = await read(dataset, 1);
    for (const i of [0, 1, 2, 48, 49, 50, 96, 97, 98]) expected[i] = 8;
    expect(await read(corrected, 1)).toEqual(expected);
    const val = await openData(correctedData(out), "val");
    expect(await read(val, 0)).toEqual(await read(await openData(data, "val"), 0));
  });
});

describe("of several verdicts", () => {
  test("the last on a region counts; painted masks go beyond the region, void among them", async () => {
    const { data } = await folderRun(values, VALUES);
    const dataset = await openData(data, "train");
    const { verdicts } = auditPaths(run);
    const cell = (row: number, column: number) =>
      regionMask({ top: row, left: column, height: 1, width: 1 }, () => true);
    appendVerdict(verdicts, verdictFor(dataset, { verdict: "void" }));
    const painted = [
      { class: 1, mask: cell(0, 3) },
      { class: 255, mask: cell(3, 3) },
    ];
    appendVerdict(verdicts, verdictFor(dataset, { verdict: "painted", painted }));
    appendVerdict(verdicts, verdictFor(dataset, { verdict: "void" }, 1));
    appendVerdict(verdicts, verdictFor(dataset, { verdict: "keep" }, 1));
    const out = join(root, "out");
    const outcome = await correctLabels({ folder: run, out });
    expect(outcome.verdicts).toEqual({ keep: 1, prediction: 0, void: 0, painted: 1 });
    expect(await labelsOf(correctedData(out))).toEqual([changed({ 3: 1, 21: 255 }), LABEL]);
    const kept = readFileSync(join(out, "verdicts.jsonl"), "utf8").trim().split("\n");
    expect(kept.map((line) => JSON.parse(line).verdict)).toEqual(["painted", "keep"]);
  });

  test("what nobody decided is taken from the audit, the first regions or those above a score", async () => {
    const { data } = await folderRun(values, VALUES);
    const dataset = await openData(data, "train");
    const region = (n: number, column: number, score: number): AuditRegion => {
      const { verdict: _, region: __, ...identity } = verdictFor(dataset, { verdict: "void" });
      const mask = regionMask({ top: 0, left: column, height: 1, width: 1 }, () => true);
      return {
        ...identity,
        id: `${identity.image}#${n}`,
        rank: n,
        area: 1,
        label: 0,
        prediction: 1,
        score,
        likelihood: 1,
        mask,
      };
    };
    const regions = [region(1, 0, 9), region(2, 1, 5), region(3, 2, 1)];
    writeFileSync(auditPaths(run).regions, regions.map((one) => `${JSON.stringify(one)}\n`).join(""));
    writeSummary([0.1, 0.1]);
    const corrected = async (name: string, automatic: object) => {
      const out = join(root, name);
      await correctLabels({ folder: run, out, automatic: { verdict: "prediction", ...automatic } });
      return (await labelsOf(correctedData(out)))[0];
    };
    expect(await corrected("all", {})).toEqual(changed({ 0: 1, 1: 1, 2: 1 }));
    expect(await corrected("top", { top: 1 })).toEqual(changed({ 0: 1 }));
    expect(await corrected("score", { leastScore: 5 })).toEqual(changed({ 0: 1, 1: 1 }));
    expect(await corrected("void", { verdict: "void", top: 2 })).toEqual(changed({ 0: 255, 1: 255 }));
    // A person has looked at the first one.
    appendVerdict(auditPaths(run).verdicts, verdictFor(dataset, { verdict: "keep" }));
    expect(await corrected("kept", { top: 2 })).toEqual(changed({ 1: 1 }));
    // A network that has not learned what a road is cannot say what is none.
    writeSummary([0.97, 0.1]);
    const outcome = await correctLabels({
      folder: run,
      out: join(root, "unlearned"),
      automatic: { verdict: "prediction" },
    });
    expect(outcome).toMatchObject({ changedLabels: 0, unjudged: 2 });
    expect(correctText(outcome)).toContain("2 regions were left alone");
    rmSync(auditPaths(run).verdicts);
    await expect(corrected("none", {})).rejects.toThrow(/no region of the audit can be corrected/);
  });
});

describe("a verdict that does not fit is refused, and the others are applied", () => {
  const cases: readonly (readonly [string, object, RegExp])[] = [
    ["another file's hash", { labelSha256: "0".repeat(64) }, /another than the one/],
    ["an unknown image", { image: "../../etc/passwd" }, /no such image/],
    ["another size", { size: [5, 6] }, /5x6 pixels \(height x width\), not 4x6/],
    [
      "a mask beyond the label",
      { mask: regionMask({ top: 3, left: 5, height: 2, width: 1 }, () => true) },
      /beyond the label/,
    ],
    ["a class that is none", { verdict: "prediction", class: 2 }, /no class 2/],
    [
      "a painted mask beyond the label",
      {
        verdict: "painted",
        painted: [{ class: 1, mask: regionMask({ top: 0, left: 6, height: 1, width: 1 }, () => true) }],
      },
      /beyond the label/,
    ],
  ];
  test.each(cases)("%s", async (_, given, reason) => {
    const { data } = await folderRun(values, VALUES);
    const dataset = await openData(data, "train");
    const { verdicts } = auditPaths(run);
    appendVerdict(verdicts, verdictFor(dataset, { verdict: "void", region: "wrong", ...given }));
    appendVerdict(verdicts, verdictFor(dataset, { verdict: "prediction", class: 1 }));
    const out = join(root, "out");
    const outcome = await correctLabels({ folder: run, out });
    expect(outcome.refused).toEqual([
      {
        image: (given as { image?: string }).image ?? "a",
        region: "wrong",
        reason: expect.stringMatching(reason),
      },
    ]);
    expect(correctText(outcome)).toMatch(/refused: wrong of .*: /);
    expect(await labelsOf(correctedData(out))).toEqual([changed({ 6: 1, 7: 1 }), LABEL]);
  });

  test("a last line that was only half written is no verdict; a broken one in between is an error", async () => {
    const { data } = await folderRun(values, VALUES);
    const dataset = await openData(data, "train");
    const { verdicts } = auditPaths(run);
    const verdict = verdictFor(dataset, { verdict: "prediction", class: 1 });
    appendVerdict(verdicts, verdict);
    appendFileSync(verdicts, JSON.stringify(verdict).slice(0, 50));
    const outcome = await correctLabels({ folder: run, out: join(root, "out") });
    expect(outcome.verdicts.prediction).toBe(1);
    appendFileSync(verdicts, "\n");
    await expect(correctLabels({ folder: run, out: join(root, "again") })).rejects.toThrow(
      /line 2 of .*verdicts\.jsonl/,
    );
    expect(existsSync(join(root, "again"))).toBe(false);
  });
});

describe("nothing is overwritten", () => {
  const voided = async () => {
    const { data } = await folderRun(values, VALUES);
    appendVerdict(auditPaths(run).verdicts, verdictFor(await openData(data, "train"), { verdict: "void" }));
  };

  test("neither a folder that holds something nor one among the sources, by whatever way", async () => {
    await voided();
    mkdirSync(join(root, "full"));
    writeFileSync(join(root, "full", "mine.txt"), "mine");
    await expect(correctLabels({ folder: run, out: join(root, "full") })).rejects.toThrow();
    expect(readdirSync(join(root, "full"))).toEqual(["mine.txt"]);
    symlinkSync(join(root, "masks"), join(root, "link"));
    for (const out of ["masks/sub", "masks/sub/new", "images/sub/new", "link/sub", "link/sub/new/deep"])
      await expect(correctLabels({ folder: run, out: join(root, out) }), out).rejects.toThrow(
        /lies among the sources/,
      );
    expect(readdirSync(join(root, "masks", "sub")).sort()).toEqual(["a_L.png", "b_L.png"]);
  });

  test("a link to an empty folder is filled there; a relative path is the caller's", async () => {
    await voided();
    mkdirSync(join(root, "empty"));
    symlinkSync(join(root, "empty"), join(root, "link"));
    await correctLabels({ folder: run, out: join(root, "link") });
    expect(readdirSync(join(root, "empty")).sort()).toEqual(["data.yaml", "labels", "verdicts.jsonl"]);
    expect(correctedData(join(root, "link")).train.masks).toBe(resolve(root, "empty", "labels"));
  });

  test("a signal ends it before the folder is there", async () => {
    await voided();
    const controller = new AbortController();
    const stopped = correctLabels({
      folder: run,
      out: join(root, "out"),
      signal: controller.signal,
      onProgress: () => controller.abort(new Error("stopped by the test")),
    });
    await expect(stopped).rejects.toThrow("stopped by the test");
    expect(readdirSync(root).sort()).toEqual(["images", "masks", "run"]);
  });
});

test("on the command line a refused verdict is exit code 1, and a choice among no regions wrong usage", async () => {
  const { data } = await folderRun(values, VALUES);
  const dataset = await openData(data, "train");
  const { verdicts } = auditPaths(run);
  appendVerdict(verdicts, verdictFor(dataset, { verdict: "void" }));
  const written: string[] = [];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => Boolean(written.push(String(text))));
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const before = process.exitCode;
  const code = async (...args: string[]) => {
    process.exitCode = undefined;
    const found = await runCommandLine(["correct", run, "--out", join(root, args[0]!), ...args.slice(1)]);
    process.exitCode = before;
    return found;
  };
  try {
    expect(await code("good", "--json")).toBe(0);
    expect(JSON.parse(written.join(""))).toMatchObject({ changedLabels: 1, refused: [] });
    appendVerdict(
      verdicts,
      verdictFor(dataset, { verdict: "void", region: "c", labelSha256: "1".repeat(64) }),
    );
    expect(await code("refused")).toBe(1);
    expect(existsSync(join(root, "refused", "data.yaml"))).toBe(true);
    expect(await code("usage", "--top", "3")).toBe(2);
    expect(await code("good")).toBe(1);
  } finally {
    vi.restoreAllMocks();
  }
});

test("without a verdict there is nothing to do, and it says what to do", async () => {
  await folderRun(values, VALUES);
  const out = join(root, "out");
  await expect(correctLabels({ folder: run, out })).rejects.toThrow(/no verdict in .*armseg studio.*--all/);
  await expect(correctLabels({ folder: run, out, automatic: { verdict: "void" } })).rejects.toThrow(
    /audit\.json is missing: audit the run first/,
  );
  await expect(correctLabels({ folder: run, out, verdicts: join(root, "none") })).rejects.toThrow(
    /none does not exist/,
  );
});
