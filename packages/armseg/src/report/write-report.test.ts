import fs from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { MetricsRecord } from "../runs/records.ts";
import { createRun } from "../runs/run-folder.ts";
import { RunLog } from "../runs/run-log.ts";
import { temporaryFolder } from "../runs/testing/folders.ts";
import { tensorBoardGolden } from "../runs/testing/tensorboard-golden.ts";
import { madeUpRecords } from "./testing/made-up-run.ts";
import { writeComparison, writeReport } from "./write-report.ts";

const PNG = Buffer.from(tensorBoardGolden.png, "hex");
const PNG_URI = `data:image/png;base64,${PNG.toString("base64")}`;

function madeUpFolder(name: string, records: readonly MetricsRecord[]): string {
  const folder = join(temporaryFolder(), name);
  using run = createRun(folder, "seed: 1\n");
  using log = new RunLog(run.paths);
  for (const record of records) {
    if (record.kind === "sample") {
      for (const file of Object.values(record.files)) fs.writeFileSync(join(folder, file), PNG);
    }
    log.log(record);
  }
  return folder;
}

test("a run folder alone is enough for its report", () => {
  const folder = madeUpFolder("small", madeUpRecords({ iterations: 400 }));
  const path = writeReport(folder);
  expect(path).toBe(join(folder, "report.html"));
  const html = fs.readFileSync(path, "utf8");
  expect(html).toContain("<h1>small</h1>");
  expect(html.split(PNG_URI)).toHaveLength(11);
  expect(html).toContain("seed: 1");
});

test("two run folders make a comparison", () => {
  const records = madeUpRecords({ iterations: 400 });
  const folders = ["plain", "arm"].map((name) => madeUpFolder(name, records));
  const path = join(temporaryFolder(), "comparison.html");
  writeComparison(path, "Two runs", folders);
  expect(fs.readFileSync(path, "utf8")).toContain("<td>arm</td>");
});

test("records draw no file from outside the figures into the report", () => {
  const folder = madeUpFolder("sly", []);
  const secret = join(folder, "..", "secret.png");
  fs.writeFileSync(secret, "secret");
  fs.symlinkSync(secret, join(folder, "figures", "link.png"));
  const sample = (name: string, image: string) =>
    `${JSON.stringify({ kind: "sample", iteration: 0, name, files: { image } })}\n`;
  const sly = [
    "../secret.png",
    secret,
    "figures/../../secret.png",
    "figures/link.png",
    "config.yaml",
    "figures",
  ];
  fs.writeFileSync(join(folder, "metrics.jsonl"), sly.map((file, i) => sample(`s${i}`, file)).join(""));
  expect(fs.readFileSync(writeReport(folder), "utf8")).not.toContain("<img");
});

test("a folder without a run is named", () => {
  const folder = temporaryFolder();
  expect(() => writeReport(folder)).toThrow(`${folder} must hold a run`);
});
