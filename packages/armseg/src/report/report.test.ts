import { describe, expect, test } from "vitest";
import type { MetricsRecord } from "../runs/records.ts";
import { comparisonReport } from "./comparison.ts";
import { reportData } from "./report-data.ts";
import { madeUpRecords, madeUpRun } from "./testing/made-up-run.ts";
import { reportHtml } from "./write-report.ts";

const IMAGES = new Map([["figures/seq_001-image.png", Uint8Array.of(1, 2, 3)]]);

const headings = (html: string) => [...html.matchAll(/<h2>([^<]*)<\/h2>/g)].map((match) => match[1]);
const chartNames = (html: string) =>
  [...html.matchAll(/role="img" aria-label="([^"]*)"/g)].map((match) => match[1]);

/** Opening and closing tags match, and only elements that may stay open do. */
function expectBalanced(html: string): void {
  const open: string[] = [];
  for (const [, closing, name] of html
    .replace(/<style>.*<\/style>/s, "")
    .matchAll(/<(\/?)([a-z][a-z0-9]*)\b[^>]*>/g)) {
    if (["meta", "img"].includes(name!)) continue;
    if (closing === "") open.push(name!);
    else expect(open.pop()).toBe(name);
  }
  expect(open).toEqual([]);
}

function expectSelfContained(html: string): void {
  const sources = [...html.matchAll(/\b(?:src|href|url)\b\s*[=(]\s*["']?([^"')\s]*)/g)].map(
    (match) => match[1]!,
  );
  expect(sources.every((source) => source.startsWith("data:image/png;base64,"))).toBe(true);
  expect(html).not.toMatch(/https?:|<script|@import/);
}

describe("the report of a whole run", () => {
  const html = reportHtml(madeUpRun("camvid-arm", IMAGES));

  test("has every section and chart", () => {
    expect(headings(html)).toEqual([
      "Training",
      "Weight curve",
      "Samples",
      "Classes on dev-val",
      "Confusions on dev-val",
      "Environment",
    ]);
    expect(chartNames(html)).toEqual([
      "Loss",
      "mIoU",
      "Learning rate",
      "Time",
      "W(u) over time",
      "Learned curve and Hölder optimum",
      "Mean loss per confidence bin",
      "Pixels per confidence bin",
      "Confusion matrix",
    ]);
  });

  test("needs nothing from outside, and is sound", () => {
    expectSelfContained(html);
    expectBalanced(html);
    expect(html).not.toMatch(/="[^"]*(NaN|undefined|Infinity)[^"]*"/);
    expect(html.length).toBeLessThan(1_000_000);
  });

  test("says how far the run is, what it scored and what was skipped", () => {
    expect(html).toContain("Finished after 4000 iterations.");
    expect(html).toMatch(/<b>50\.7 %<\/b><span>mIoU on dev-val<\/span>/);
    expect(html).toMatch(/<b>1<\/b><span>skipped steps \(loss not finite\)<\/span>/);
    expect(html).toContain('<img src="data:image/png;base64,AQID" alt="image of seq_001"');
  });
});

test("a curve that stayed flat is said to be, and correlates with nothing", () => {
  const flat = madeUpRecords({ iterations: 400 }).map((record) =>
    record.kind === "curve"
      ? { ...record, weights: record.weights.map((_, i) => 0.37 + 1e-4 * (i % 2)) }
      : record,
  );
  const html = reportHtml(reportData({ name: "a", config: "", environments: [], records: flat }, new Map()));
  expect(html).toContain(
    "The weight curve is still flat, W(u) from 0.370 to 0.370: every pixel counted alike.",
  );
  expect(html).not.toMatch(/correlation over/);
  expect(reportHtml(madeUpRun("a", IMAGES))).toMatch(/correlation over the pixels 0\.\d/);
  expect(reportHtml(madeUpRun("a", IMAGES))).not.toContain("still flat");
});

test("the joint phase is marked where it begins, not where it is first logged", () => {
  const records = madeUpRecords({ iterations: 400 }).map((record) =>
    record.kind === "run" ? { ...record, jointFrom: 1 } : record,
  );
  const markOf = (own: readonly MetricsRecord[]) =>
    /class="mark" x1="([\d.]+)"/.exec(
      reportHtml(reportData({ name: "a", config: "", environments: [], records: own }, new Map())),
    )?.[1];
  expect(Number(markOf(records))).toBeCloseTo(60 + 486 / 400, 1);
  expect(Number(markOf(madeUpRecords({ iterations: 400 })))).toBeCloseTo(60 + (30 * 486) / 400, 1);
});

test("every beginning of a log gives a sound report", () => {
  const records = madeUpRecords({ iterations: 1000 });
  for (let count = 0; count <= records.length; count += 9) {
    const html = reportHtml(
      reportData({ name: "a", config: "", environments: [], records: records.slice(0, count) }, new Map()),
    );
    expectBalanced(html);
    expect(html).not.toMatch(/="[^"]*(NaN|undefined|Infinity)[^"]*"/);
  }
});

test("a run that has only begun says so", () => {
  const html = reportHtml(
    reportData({ name: "a", config: "seed: 1", environments: [], records: [] }, new Map()),
  );
  expect(html).toContain("Nothing logged yet.");
  expect(headings(html)).toEqual(["Environment"]);
});

test("numbers that are none are shown as such", () => {
  const records = madeUpRecords({ iterations: 400 }).map((record) =>
    record.kind === "train" ? { ...record, loss: Number.NaN } : record,
  );
  const html = reportHtml(reportData({ name: "a", config: "", environments: [], records }, new Map()));
  expect(html).toContain("<b>–</b><span>last loss</span>");
});

test("no text of a run becomes markup", () => {
  const evil = `"><script>alert('x')</script>`;
  const records = madeUpRecords({ iterations: 400 }).map((record) => {
    if (record.kind === "run") {
      const color = [evil, 1, 2] as unknown as [number, number, number];
      return {
        ...record,
        facts: { [evil]: evil },
        classes: record.classes.map(() => ({ name: evil, color })),
      };
    }
    if (record.kind === "evaluation") return { ...record, split: evil };
    if (record.kind === "sample") return { ...record, name: evil };
    if (record.kind === "event") return { ...record, message: evil };
    return record;
  });
  const data = reportData({ name: evil, config: evil, environments: [], records }, IMAGES);
  for (const html of [reportHtml(data), comparisonReport(evil, [data, data])]) {
    expect(html).not.toContain("<script");
    expect(html).not.toContain(evil);
    expectBalanced(html);
  }
});

describe("the comparison of runs", () => {
  const html = comparisonReport("CE and ARM", [
    madeUpRun("plain", IMAGES, { skill: 0.5 }),
    madeUpRun("arm", IMAGES, { skill: 0.6 }),
  ]);

  test("has scores with the difference to the first run, curves, samples and classes", () => {
    expect(headings(html)).toEqual([
      "Scores on dev-val",
      "Training",
      "Samples",
      "IoU by class on dev-val, in %",
      "Runs",
    ]);
    expect(chartNames(html)).toEqual(["mIoU on dev-val", "Mean pixel loss", "Weight curves at the end"]);
    expect(html).toContain(
      '<td>50.7</td><td>50.7</td><td>58.3</td><td>80.4</td><td><span class="better">+8.4</span></td>',
    );
    expectSelfContained(html);
    expectBalanced(html);
  });

  test("copes with runs that have nothing yet, and with none", () => {
    const empty = reportData({ name: "b", config: "", environments: [], records: [] }, new Map());
    expectBalanced(comparisonReport("c", [empty, madeUpRun("arm", IMAGES)]));
    expectBalanced(comparisonReport("c", []));
  });
});
