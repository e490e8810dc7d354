import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openData } from "../config/open-data.ts";
import { checkConfig } from "../config/read-config.ts";
import { fillMask_ } from "../core/region-mask.ts";
import { writeLabelPng } from "../data/drawing/index.ts";
import { readRawMask } from "../data/labels/raw-mask.ts";
import { readLabel } from "../data/labels/read-label.ts";
import type { Sample } from "../data/sample.ts";
import {
  type AuditedImage,
  type AuditRegion,
  appendVerdict,
  auditPaths,
  readAuditedImages,
  readAuditSummary,
  readRegions,
} from "../runs/audit/index.ts";
import { auditRun } from "./audit.ts";
import { auditText } from "./audit-text.ts";
import { smallConfig } from "./testing/small-run.ts";
import { startTraining } from "./train.ts";

let root: string;
let folder: string;
let wrong: Sample;

const config = () => {
  const small = smallConfig(root, { iterations: 50, checkpointEvery: 50 });
  const reweighting = { ...small.reweighting, curve: "none" as const };
  return checkConfig(
    { ...small, reweighting, optimizer: { ...small.optimizer, learningRate: 0.02 } },
    "the test",
  );
};

async function gather<T>(lines: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const line of lines) found.push(line);
  return found;
}

/** A network that has learned where the road is, and a label in which the road is a sky. */
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "armseg-audit-"));
  folder = join(root, "run");
  await startTraining(config(), { folder, stream: null });
  const { samples, classes } = await openData(config().data, "train");
  wrong = samples[7]!;
  const label = await readLabel(wrong.annotation!);
  const [sky, road] = ["sky", "road"].map((name) => classes.findIndex((own) => own.name === name));
  const data = label.data.map((value) => (value === road ? sky! : value));
  writeLabelPng(wrong.annotation!.path, { ...label, data }, classes, { overwrite: true });
}, 120_000);
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("an audit", () => {
  let images: AuditedImage[];
  let regions: AuditRegion[];
  let outcome: Awaited<ReturnType<typeof auditRun>>;
  const progress: string[] = [];
  beforeAll(async () => {
    outcome = await auditRun({
      folder,
      against: true,
      leastArea: 4,
      onProgress: (done, total, note) => progress.push(`${done}/${total} ${note}`),
    });
    images = await gather(readAuditedImages(auditPaths(folder).images));
    regions = await gather(readRegions(auditPaths(folder).regions));
  }, 60_000);

  test("finds the road that is labelled sky", () => {
    const { classes } = outcome.summary;
    const first = regions.find(({ label }) => classes[label]!.name === "sky")!;
    expect([first.image, classes[first.prediction]!.name]).toEqual([wrong.name, "road"]);
    expect(classes.find(({ name }) => name === "sky")!.predictedAs[0]!.class).toBe(first.prediction);
  });

  test("lists regions by their score, each with what its mask covers", async () => {
    expect(regions.length).toBeGreaterThan(5);
    expect(regions.map(({ rank }) => rank)).toEqual(regions.map((_, i) => i + 1));
    expect(new Set(regions.map(({ id }) => id)).size).toBe(regions.length);
    expect(outcome.first).toEqual(regions.slice(0, 10));
    const scores = regions.map(({ score }) => score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    const { classes } = outcome.summary;
    for (const region of regions) {
      const image = images.find((own) => own.image === region.image)!;
      const planes = Object.fromEntries(
        await Promise.all(
          Object.entries(image.planes!).map(async ([name, file]) => [
            name,
            await readRawMask(join(folder, file)),
          ]),
        ),
      );
      const [height, width] = region.size;
      const inside = { height, width, data: new Uint8Array(height * width) };
      fillMask_(inside, region.mask, 1);
      const pixels = [...inside.data.keys()].filter((i) => inside.data[i]);
      expect(pixels).toHaveLength(region.area);
      expect(region.area).toBeGreaterThanOrEqual(4);
      const likelihoods = pixels.map((i) => planes.likelihood.values[i] / 255);
      expect(pixels.every((i) => planes.label.values[i] === region.label)).toBe(true);
      expect(pixels.every((i) => planes.prediction.values[i] === region.prediction)).toBe(true);
      expect(Math.min(...likelihoods)).toBeGreaterThan(classes[region.prediction]!.threshold - 0.5 / 255);
      const mean = likelihoods.reduce((sum, p) => sum + p, 0) / region.area;
      expect(region.likelihood).toBeCloseTo(mean, 2);
    }
  }, 60_000);

  test("lists the images in the order of the data set, with their label files as they are", async () => {
    const { samples } = await openData(config().data, "train");
    expect(images.map(({ image }) => image)).toEqual(samples.map(({ name }) => name));
    for (const [i, image] of images.entries()) {
      const { path } = samples[i]!.annotation!;
      expect(resolve(folder, image.labelFile)).toBe(path);
      expect(resolve(folder, image.imageFile)).toBe(samples[i]!.image);
      expect(image.labelSha256).toBe(createHash("sha256").update(readFileSync(path)).digest("hex"));
      const label = await readLabel(samples[i]!.annotation!);
      expect((await readRawMask(join(folder, image.planes!.label))).values).toEqual(label.data);
      expect(image.labelled).toBe(label.data.filter((value) => value !== 255).length);
      const own = regions.filter((region) => region.image === image.image);
      expect(image.regions).toBe(own.length);
      expect(image.suspicious).toBe(own.reduce((sum, { area }) => sum + area, 0));
      expect(image.disagreeing).toBeGreaterThanOrEqual(image.suspicious);
    }
    expect(Math.min(...images.map(({ quality }) => quality!))).toBeGreaterThan(0);
  });

  test("sums up the classes, and measures itself against the scenes' fine labels", async () => {
    const { summary } = outcome;
    expect(readAuditSummary(auditPaths(folder).summary)).toEqual(summary);
    const total = (figure: "labelled" | "suspicious" | "disagreeing") =>
      summary.classes.reduce((sum, own) => sum + own[figure], 0);
    for (const figure of ["labelled", "suspicious", "disagreeing"] as const)
      expect(total(figure)).toBe(images.reduce((sum, image) => sum + image[figure], 0));
    expect(summary.regions).toBe(regions.length);
    const { samples } = await openData(config().data, "train");
    const fine = await openData({ ...config().data, annotations: "fine" }, "train");
    let [wrongPixels, missing] = [0, 0];
    for (const [i, sample] of samples.entries()) {
      const given = await readLabel(sample.annotation!);
      const truth = await readLabel(fine.samples[i]!.annotation!);
      given.data.forEach((value, j) => {
        if (truth.data[j] === 255 || truth.data[j] === value) return;
        if (value === 255) missing++;
        else wrongPixels++;
      });
    }
    expect(summary.measure).toMatchObject({ wrong: wrongPixels, missing });
    expect(summary.measure!.wrongRecall.ours).toBeGreaterThan(0);
    expect(auditText(outcome)).toMatch(/precision of the first 10 regions +\d/);
  });

  test("tells its progress, and leaves neither lock nor temporary file", () => {
    expect(progress[0]).toBe("1/12 how sure the network is of each class");
    expect(progress.at(-1)).toBe(`12/12 ${regions.length} regions`);
    expect(readdirSync(auditPaths(folder).folder).sort()).toEqual([
      "audit.html",
      "audit.json",
      "images.jsonl",
      "planes",
      "regions.jsonl",
    ]);
    expect(readdirSync(auditPaths(folder).planes)).toHaveLength(36);
  });

  test("writes a page of its first regions that needs nothing from outside", () => {
    const html = readFileSync(auditPaths(folder).page, "utf8");
    expect(html.split('class="trio"').length - 1).toBe(regions.length);
    expect(html).toContain(regions[0]!.id);
    expect(html).not.toMatch(/<script|https?:/);
    expect(html.length).toBeLessThan(5e6);
  });
});

describe("another audit", () => {
  const quick = () => ({ folder, planes: false });

  test("takes the place of the one before, but keeps the verdicts", async () => {
    const paths = auditPaths(folder);
    const [region] = await gather(readRegions(paths.regions));
    const { image, labelFile, labelSha256, size, mask, id } = region!;
    appendVerdict(paths.verdicts, { image, labelFile, labelSha256, size, mask, region: id, verdict: "keep" });
    const { summary } = await auditRun({ ...quick(), leastArea: 1e6 });
    expect(summary.regions).toBe(0);
    expect(readFileSync(paths.regions, "utf8")).toBe("");
    expect(existsSync(paths.planes)).toBe(false);
    expect(readFileSync(paths.verdicts, "utf8")).toContain(id);
    expect(readFileSync(paths.page, "utf8")).toContain("the network is sure of no other class");
  }, 60_000);

  test("that is ended is not complete", async () => {
    const controller = new AbortController();
    const stopped = auditRun({
      ...quick(),
      signal: controller.signal,
      onProgress: () => controller.abort(new Error("stopped by the test")),
    });
    await expect(stopped).rejects.toThrow("stopped by the test");
    const paths = auditPaths(folder);
    expect(existsSync(paths.summary)).toBe(false);
    expect(() => readAuditSummary(paths.summary)).toThrow(/audit the run first/);
    expect(readdirSync(paths.folder).filter((name) => /lock|unranked/.test(name))).toEqual([]);
  }, 60_000);

  test("out of fold judges every image by a network of the others, which is trained once", async () => {
    const overrides = ["schedule.iterations=2", "training.evaluateEvery=2", "training.checkpointEvery=2"];
    const audit = () => auditRun({ ...quick(), folds: 2, overrides, stream: null });
    const { summary } = await audit();
    expect(summary.folds).toBe(2);
    const names = (await openData(config().data, "train")).samples.map(({ name }) => name);
    const { folds, images } = auditPaths(folder);
    const lists = [1, 2].map((i) =>
      readFileSync(join(folds, `${i}-of-2.txt`), "utf8")
        .trim()
        .split("\n"),
    );
    expect(lists).toEqual([names.slice(6), names.slice(0, 6)]);
    expect((await gather(readAuditedImages(images))).map(({ image }) => image)).toEqual(names);
    const metrics = join(folds, "1-of-2", "metrics.jsonl");
    const before = readFileSync(metrics, "utf8");
    await audit();
    expect(readFileSync(metrics, "utf8")).toBe(before);
  }, 120_000);
});

test("what cannot be audited is named", async () => {
  await expect(auditRun({ folder: root })).rejects.toThrow(/config\.yaml/);
  await expect(auditRun({ folder, against: root })).rejects.toThrow(
    /--against: .* has no fine label in .*; every image of the split needs one/,
  );
  const label = wrong.annotation!.path;
  const before = readFileSync(label);
  try {
    writeFileSync(label, before.subarray(0, 60));
    await expect(auditRun({ folder, planes: false })).rejects.toThrow(/truncated PNG/);
  } finally {
    writeFileSync(label, before);
  }
}, 60_000);
