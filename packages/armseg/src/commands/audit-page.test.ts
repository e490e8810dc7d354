import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { regionMask } from "../core/region-mask.ts";
import { writeRgbPng } from "../data/drawing/index.ts";
import type { ClassInfo } from "../data/sample.ts";
import type { AuditSummary } from "../runs/audit/index.ts";
import { AuditPageWriter } from "./audit-page.ts";

let root: string;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "armseg-audit-page-"));
  await writeRgbPng(join(root, "a.png"), {
    height,
    width,
    data: new Uint8Array(3 * height * width).fill(99),
  });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const [height, width] = [40, 600];
const classes: ClassInfo[] = [
  { name: "road", color: [128, 64, 128] },
  { name: "<car>", color: [0, 0, 142] },
];
const summary: AuditSummary = {
  version: 1,
  checkpoint: "c",
  dataset: "d",
  split: "train",
  images: 1,
  regions: 250,
  folds: 1,
  leastArea: null,
  classes: classes.map((own) => ({
    ...own,
    color: [...own.color],
    threshold: 0.5,
    labelled: 100,
    disagreeing: 10,
    suspicious: 5,
    regions: 1,
    predictedAs: [],
  })),
  measure: null,
  seconds: 1,
};

function writerOf(
  scores: readonly number[],
  mask = regionMask({ top: 3, left: 4, height: 2, width: 2 }, () => true),
) {
  const writer = new AuditPageWriter(classes);
  const label = new Uint8Array(height * width);
  const likelihood = new Float32Array(height * width).fill(1);
  const pixels = {
    height,
    width,
    label,
    prediction: label.map(() => 1),
    likelihood,
    givenLikelihood: likelihood,
  };
  scores.forEach((score, i) => {
    const identity = {
      image: "a",
      labelFile: "a.png",
      labelSha256: "0".repeat(64),
      size: [height, width] as [number, number],
    };
    const region = {
      ...identity,
      id: `a#${i}`,
      area: 4,
      label: 0,
      prediction: 1,
      score,
      likelihood: 1,
      mask,
    };
    writer.add(region, { name: "a", image: join(root, "a.png") }, pixels);
  });
  return writer;
}

test("keeps the hundred regions of the highest scores, of equals the first", () => {
  const scores = Array.from({ length: 250 }, (_, i) => (i * 37) % 125);
  const { regions } = writerOf(scores);
  const expected = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b).slice(0, 100);
  expect(regions.map(({ id }) => id)).toEqual(expected.map((i) => `a#${i}`));
  expect(regions.map(({ rank }) => rank)).toEqual(expected.map((_, i) => i + 1));
});

test("outlines a region at its place in what is shown of the image, names escaped", async () => {
  await writerOf([2]).write(join(root, "small.html"), summary);
  const html = readFileSync(join(root, "small.html"), "utf8");
  // 120 columns of the image from its left edge, and all of its rows.
  expect(html).toContain('viewBox="0 0 120 40"');
  expect(html).toContain('d="M4 3h2M4 5h2M4 3v2M6 3v2"');
  expect(html).toContain("&lt;car&gt;");
  expect(html).not.toContain("<car>");
  expect(html).toContain("The first 1 of 250 regions");
  expect(html).not.toContain("has not learned");
});

test("says which classes the network has not learned", async () => {
  const [road, car] = summary.classes;
  const unlearned = { ...summary, classes: [road!, { ...car!, disagreeing: 96 }] };
  await writerOf([2]).write(join(root, "unlearned.html"), unlearned);
  expect(readFileSync(join(root, "unlearned.html"), "utf8")).toContain(
    "The network has not learned &lt;car&gt;: regions labelled so say nothing",
  );
});

test("shows a large region smaller", async () => {
  const mask = regionMask({ top: 0, left: 0, height, width }, () => true);
  await writerOf([2], mask).write(join(root, "large.html"), summary);
  const html = readFileSync(join(root, "large.html"), "utf8");
  expect(html).toContain('viewBox="0 0 320 21"');
  expect(html).toContain('d="M0 0h320M0 21h320M0 0v21M320 0v21"');
});
