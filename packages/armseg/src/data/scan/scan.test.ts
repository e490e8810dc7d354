import { utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { mapConcurrently } from "../../core/concurrently.ts";
import { IGNORE_INDEX } from "../../core/ignore-index.ts";
import { camvid } from "../formats/camvid.ts";
import type { Annotation, Dataset, LabelMap } from "../sample.ts";
import { DATA_ROOT, encodePng, fixture, golden, hasData } from "../test-support.ts";
import { classWeights } from "./class-weights.ts";
import { fingerprint } from "./fingerprint.ts";
import { isUsable } from "./problems.ts";
import { type ScanResult, scan } from "./scan.ts";
import { cachedScan, freshScan } from "./scan-cache.ts";
import { RangeCheck, ValueSums } from "./scan-counts.ts";
import { scanText } from "./scan-text.ts";

const values: LabelMap = { encoding: "values", classes: { 0: 0, 1: 1, 255: IGNORE_INDEX } };
const classes = [
  { name: "road", color: [1, 2, 3] },
  { name: "sky", color: [4, 5, 6] },
  { name: "bird", color: [7, 8, 9] },
] as const;

let root: string;
let dataset: Dataset;

function mask(name: string, labelMap: LabelMap = values): Annotation {
  return { kind: "mask", path: join(root, name), labelMap };
}

beforeAll(async () => {
  const picture = await sharp(new Uint8Array(3 * 6).fill(90), { raw: { height: 2, width: 3, channels: 3 } })
    .png()
    .toBuffer();
  const label = (...data: number[]): Uint8Array => encodePng(0, 8, 2, 3, data);
  root = await fixture({
    "good.png": picture,
    "cut.png": picture.subarray(0, 60),
    "good-label.png": label(0, 0, 0, 0, 1, 255),
    "unknown-label.png": label(0, 34, 34, 0, 35, 255),
    "void-label.png": label(255, 255, 255, 255, 255, 255),
    "small-label.png": encodePng(0, 8, 1, 2, [0, 1]),
    "cut-label.png": label(0, 0, 0, 0, 0, 0).subarray(0, 50),
    "weights.png": encodePng(0, 8, 1, 1, [255]),
  });
  const good = join(root, "good.png");
  const polygon = { kind: "polygon", rings: [[0, 0, 1, 0, 1, 1, 0, 1]] } as const;
  dataset = {
    name: "made",
    split: "train",
    classes,
    samples: [
      { name: "good", image: good, annotation: mask("good-label.png") },
      { name: "unknown", image: good, annotation: mask("unknown-label.png") },
      { name: "void", image: good, annotation: mask("void-label.png") },
      { name: "small", image: good, annotation: mask("small-label.png"), weights: join(root, "weights.png") },
      { name: "cut", image: join(root, "cut.png"), annotation: mask("cut-label.png") },
      { name: "missing", image: join(root, "missing.png") },
      {
        name: "regions",
        image: good,
        annotation: {
          kind: "regions",
          path: join(root, "regions.json"),
          format: "inline",
          regions: [
            { label: "hidden", shape: polygon },
            { label: "sky", shape: polygon },
          ],
          labelMap: { encoding: "names", classes: { sky: 1 } },
          background: 0,
        },
      },
    ],
    notes: ["one thing left out"],
    unpaired: ["lonely.png"],
  };
});

describe("scan()", () => {
  test("collects every problem and counts what is there", async () => {
    const progress: number[] = [];
    const result = await scan(dataset, { onProgress: (done) => progress.push(done) });
    expect(progress).toEqual([1, 2, 3, 4, 5, 6, 7]);
    const kinds = result.problems.map(({ kind, severity, count }) => [kind, severity, count]);
    expect(kinds).toEqual([
      ["value outside the label map", "error", 2],
      ["label without a valid pixel", "warning", 1],
      ["label of another size than its image", "error", 1],
      ["unreadable weight map", "error", 1],
      ["unreadable image", "error", 2],
      ["unreadable label", "error", 1],
      ["shapes beneath others", "warning", 1],
      ["class without a pixel", "training error", 1],
      ["file without a partner", "warning", 1],
    ]);
    expect(result.values).toEqual([
      { value: "(uncovered)", label: 0, pixels: 2 },
      { value: "0", label: 0, pixels: 7 },
      { value: "1", label: 1, pixels: 2 },
      { value: "34", pixels: 2 },
      { value: "35", pixels: 1 },
      { value: "255", label: 255, pixels: 8 },
      { value: "hidden", pixels: 0 },
      { value: "sky", label: 1, pixels: 4 },
    ]);
    expect(result.classes).toEqual([
      { name: "road", pixels: 9, images: 4, validPixelsOfImages: 5 + 2 + 2 + 6 },
      { name: "sky", pixels: 6, images: 3, validPixelsOfImages: 5 + 2 + 6 },
      { name: "bird", pixels: 0, images: 0, validPixelsOfImages: 0 },
    ]);
    expect([result.samples, result.labelled, result.ignoredPixels]).toEqual([7, 5, 8]);
    expect(result.sizes).toEqual({ "2x3": 5 });
    expect(result.modes).toEqual({ "grey 8-bit": 4, "regions (inline)": 1 });
    expect([isUsable(result, "training"), isUsable(result, "reading")]).toEqual([false, false]);
  });

  test("problems name the samples concerned, and hand each inspection on", async () => {
    const inspected: string[] = [];
    const { problems } = await scan(dataset, { onInspected: ({ name }) => inspected.push(name) });
    expect(Object.fromEntries(problems.map(({ kind, samples }) => [kind, samples]))).toEqual({
      "value outside the label map": ["unknown", "regions"],
      "label without a valid pixel": ["void"],
      "label of another size than its image": ["small"],
      "unreadable weight map": ["small"],
      "unreadable image": ["cut", "missing"],
      "unreadable label": ["cut"],
      "shapes beneath others": ["regions"],
      "class without a pixel": [],
      "file without a partner": [],
    });
    expect(inspected.sort()).toEqual(["cut", "good", "missing", "regions", "small", "unknown", "void"]);
  });

  test("a hundred cases of a problem are kept, ten are printed, the rest counted", async () => {
    const unpaired = Array.from({ length: 1234 }, (_, i) => `lonely-${i}.png`);
    const result = await scan({ ...dataset, unpaired });
    const problem = result.problems.find(({ kind }) => kind === "file without a partner")!;
    expect([problem.count, problem.examples.length, problem.examples[99]]).toEqual([
      1234,
      100,
      "lonely-99.png",
    ]);
    expect(scanText(result)).toMatch(
      /file without a partner \(1,234\)\n.*\n(.*\n){8} {2}lonely-9\.png\n {2}and 1,224 more/,
    );
  });

  test("the text names values, classes, problems and files", async () => {
    const text = scanText(await scan(dataset)).replaceAll(root, "");
    expect(text).toContain("made, train: 7 images, 5 readable labels\nsizes (height x width): 2x3: 5\n");
    expect(text).toContain("note: one thing left out");
    expect(text).toMatch(/0 {2}road {5}\(uncovered\), 0 {10}9 {2}60\.00 % {7}4/);
    expect(text).toMatch(/2 {2}bird {20,}no pixels/);
    expect(text).toContain("outside the label map: 34 (2 pixels), 35 (1 pixel), hidden (0 pixels)");
    expect(text).toContain("label 34 in /unknown-label.png (2 pixels, first at row 0, column 1)");
    expect(text).toContain("error: unreadable image (2)\n  readImage(): cannot read /cut.png");
    expect(text).toContain("training error: class without a pixel (1)\n  bird");
    expect(text).toContain("/small-label.png is 1x2, /good.png is 2x3 (height x width)");
  });

  test("what opening the data set showed to be wrong is among the problems, and makes the cache stale", async () => {
    const problems = [
      { kind: "two labels for one image", text: "x by a and by b" },
      { kind: "several files of one name", text: "y" },
      { kind: "annotation without area", text: "z" },
    ] as const;
    const found = (await scan({ ...dataset, problems })).problems.map(({ kind, severity, examples }) => {
      return [kind, severity, examples[0]];
    });
    expect(found).toContainEqual(["two labels for one image", "error", "x by a and by b"]);
    expect(found).toContainEqual(["several files of one name", "error", "y"]);
    expect(found).toContainEqual(["annotation without area", "warning", "z"]);
    expect(await fingerprint({ ...dataset, problems })).not.toBe(await fingerprint(dataset));
  });

  test("a healthy split has no problems", async () => {
    const healthy = {
      ...dataset,
      classes: classes.slice(0, 2),
      samples: dataset.samples.slice(0, 1),
      unpaired: [],
    };
    const result = await scan(healthy);
    expect(result.problems).toEqual([]);
    expect(isUsable(result, "training")).toBe(true);
    expect(scanText(result)).toContain("no problems found");
  });
});

describe("caching", () => {
  test("a cached scan is used until a file, a class or a label map changes", async () => {
    const healthy: Dataset = {
      ...dataset,
      classes: classes.slice(0, 2),
      samples: dataset.samples.slice(0, 1),
      unpaired: [],
    };
    const cache = join(root, "cache/scan.json");
    expect(await freshScan(healthy, cache)).toBeUndefined();
    const made = await cachedScan(healthy, cache);
    const again = await cachedScan(healthy, cache, { onProgress: () => expect.fail("the scan ran again") });
    expect(again).toEqual(made);
    const annotation = mask("good-label.png", { encoding: "values", classes: { 0: 1, 1: 0, 255: 255 } });
    expect(
      await freshScan({ ...healthy, samples: [{ ...healthy.samples[0]!, annotation }] }, cache),
    ).toBeUndefined();
    expect(await freshScan({ ...healthy, classes }, cache)).toBeUndefined();
    utimesSync(join(root, "good-label.png"), new Date(), new Date(0));
    expect(await freshScan(healthy, cache)).toBeUndefined();
    writeFileSync(cache, "{ half");
    expect(await freshScan(healthy, cache)).toBeUndefined();
  });

  test("the fingerprint does not depend on the order of answers from the disk", async () => {
    expect(await fingerprint(dataset)).toBe(await fingerprint({ ...dataset, samples: [...dataset.samples] }));
    expect(await fingerprint(dataset)).not.toBe(
      await fingerprint({ ...dataset, samples: [...dataset.samples].reverse() }),
    );
  });
});

describe("classWeights()", () => {
  const counts: Pick<ScanResult, "classes" | "dataset"> = {
    dataset: "cityscapes",
    classes: [
      { name: "a", pixels: 50, images: 2, validPixelsOfImages: 100 },
      { name: "b", pixels: 40, images: 1, validPixelsOfImages: 50 },
      { name: "c", pixels: 10, images: 1, validPixelsOfImages: 50 },
      { name: "d", pixels: 0, images: 0, validPixelsOfImages: 0 },
    ],
  };

  test("by hand", () => {
    // Shares of images that show the class: 0.5, 0.8, 0.2; their median is 0.5.
    expect(classWeights(counts, "median-frequency")).toEqual([1, 0.5 / 0.8, 2.5, 0]);
    expect(classWeights(counts, "inverse-log")[3]).toBeCloseTo(50.4983, 4);
    expect(classWeights(counts, "inverse-log")[0]).toBeCloseTo(1 / Math.log(1.52), 12);
    const cityscapes = {
      dataset: "cityscapes",
      classes: Array.from({ length: 19 }, () => counts.classes[0]!),
    };
    expect(classWeights(cityscapes, "published").slice(0, 3)).toEqual([0.8373, 0.918, 0.866]);
    expect(() => classWeights(counts, "published")).toThrow("for Cityscapes only");
    expect(() => classWeights({ dataset: "x", classes: [] }, "inverse-log")).toThrow("no valid pixel");
  });

  test.runIf(hasData)("CamVid's, as numpy computes them", async () => {
    const { camvid: expected } = golden<{
      camvid: Record<
        string,
        { inverseLog: number[]; medianFrequency: number[]; counts: Record<string, number> }
      >;
    }>("labels.json");
    const result = await scan(await camvid(join(DATA_ROOT, "camvid"), { split: "test" }));
    expect(Object.fromEntries(result.values.map(({ value, pixels }) => [value, pixels]))).toEqual(
      expected.test!.counts,
    );
    expect(result.problems).toEqual([]);
    classWeights(result, "inverse-log").forEach(
      (weight, i) => void expect(weight).toBeCloseTo(expected.test!.inverseLog[i]!, 9),
    );
    classWeights(result, "median-frequency").forEach(
      (weight, i) => void expect(weight).toBeCloseTo(expected.test!.medianFrequency[i]!, 9),
    );
  });
});

test("mapConcurrently() keeps order, bounds what is in flight, and stops at an error", async () => {
  let inFlight = 0;
  let most = 0;
  const results = await mapConcurrently([5, 1, 3, 2, 4], 2, async (ms) => {
    most = Math.max(most, ++inFlight);
    await new Promise((resolve) => setTimeout(resolve, ms));
    inFlight--;
    return 10 * ms;
  });
  expect([results, most]).toEqual([[50, 10, 30, 20, 40], 2]);
  const begun: number[] = [];
  const failing = mapConcurrently([1, 2, 3], 1, async (item) => {
    begun.push(item);
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  expect(begun).toEqual([1]);
});

describe("what is kept of many files", () => {
  /** A split of so many samples with three pairs of files. */
  function many(count: number): Dataset {
    const good = dataset.samples.slice(0, 3);
    const samples = Array.from({ length: count }, (_, i) => ({ ...good[i % 3]!, name: `sample${i}` }));
    return { ...dataset, samples, unpaired: [] };
  }

  test("does not grow with their number", async () => {
    const [few, lots] = [await scan(many(300)), await scan(many(600))];
    expect(lots.classes[0]!.pixels).toBe(2 * few.classes[0]!.pixels);
    expect(JSON.stringify(lots).length).toBeLessThan(JSON.stringify(few).length + 100);
    expect(lots.masks.groups.map(({ files }) => files)).toEqual([200, 200, 200]);
  });

  test("is in the order of the samples, whichever is read first", async () => {
    const names: string[] = [];
    const split = many(64);
    const { problems } = await scan(split, { onInspected: ({ name }) => names.push(name), concurrency: 8 });
    expect(names).toEqual(split.samples.map(({ name }) => name));
    expect(problems[0]!.samples.slice(0, 3)).toEqual(["sample1", "sample4", "sample7"]);
  });
});

test("values are told apart up to a number, and all counted", () => {
  const sums = new ValueSums();
  const label = (from: number, index: number) => ({
    size: [1, 1] as const,
    mode: "rgb 8-bit",
    values: Array.from({ length: 1000 }, (_, i) => ({ value: `${from + i},0,0`, label: index, pixels: 2 })),
  });
  for (const [from, index] of [
    [0, 0],
    [1000, 0],
    [0, 1],
  ] as const)
    sums.add(label(from, index));
  const { counts } = sums;
  expect(counts).toHaveLength(1024 + 1 + 1000);
  expect(counts).toContainEqual({ value: "(other values)", label: 0, pixels: 2 * (2000 - 1024) });
  expect(counts.reduce((sum, { pixels }) => sum + pixels, 0)).toBe(6000);
});

test("of 16-bit images the first hundred are named, with the range of all", () => {
  const check = new RangeCheck();
  for (let i = 0; i < 250; i++) check.add({ name: `s${i}`, image: `${i}.tif` }, [10 + i, 1000 + i]);
  check.add({ name: "wide", image: "wide.tif" }, [0, 60000]);
  const { findings } = check;
  expect(findings).toHaveLength(100);
  expect(findings[0]!.text).toContain(
    "0.tif has values of 10 to 1000 of 65535, which leaves 4 of 256 levels; set data.imageRange: [0, 2047] (from all such images here)",
  );
  expect(findings[1]!.text).toBe("1.tif has values of 11 to 1001 of 65535, which leaves 4 of 256 levels");
  expect(findings.reduce((sum, { cases = 1 }) => sum + cases, 0)).toBe(250);
});

test.each([
  [
    [200, 3271],
    [0, 4095],
  ],
  [
    [0, 4095],
    [0, 4095],
  ],
  [
    [7000, 9000],
    [7000, 9000],
  ],
  [
    [50, 50],
    [50, 51],
  ],
] as const)("16-bit images of %j get the range %j", (range, expected) => {
  const check = new RangeCheck();
  check.add({ name: "a", image: "a.tif" }, range);
  expect(check.findings[0]!.text).toContain(`set data.imageRange: [${expected.join(", ")}]`);
});
