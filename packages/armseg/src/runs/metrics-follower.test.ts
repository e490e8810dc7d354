import fs from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readMetrics, truncateMetrics } from "./metrics.ts";
import { MetricsFollower } from "./metrics-follower.ts";
import { temporaryFolder } from "./testing/folders.ts";

const line = (iteration: number, more = "") =>
  `{"kind":"train","iteration":${iteration},"loss":${iteration / 8},"learningRate":0.1${more}}\n`;

test("each reading returns what came since; a half-written line waits for its end", async () => {
  const path = join(temporaryFolder(), "metrics.jsonl");
  const follower = new MetricsFollower(path);
  expect(await follower.read()).toEqual({ records: [], isRestarted: false });
  fs.writeFileSync(path, line(1) + line(2).slice(0, 30));
  expect((await follower.read()).records.map(({ iteration }) => iteration)).toEqual([1]);
  fs.appendFileSync(path, line(2).slice(30) + line(3));
  const { records, isRestarted } = await follower.read();
  expect(isRestarted).toBe(false);
  expect(records).toEqual(readMetrics(path).slice(1));
  expect(await follower.read()).toEqual({ records: [], isRestarted: false });
});

test("a log that was cut back and has grown beyond its old end is read from the beginning", async () => {
  const path = join(temporaryFolder(), "metrics.jsonl");
  fs.writeFileSync(path, [1, 2, 3].map((i) => line(i)).join(""));
  const follower = new MetricsFollower(path);
  await follower.read();
  truncateMetrics(path, 1);
  fs.appendFileSync(path, line(2, ',"meanLoss":1') + line(3, ',"meanLoss":1') + line(4));
  expect(await follower.read()).toEqual({ records: readMetrics(path), isRestarted: true });
  fs.rmSync(path);
  expect(await follower.read()).toEqual({ records: [], isRestarted: true });
});

test("kinds that are skipped are not even decoded; a damaged line is named", async () => {
  const path = join(temporaryFolder(), "metrics.jsonl");
  fs.writeFileSync(path, `${line(1)}{"kind":"curve","iteration":1,\n${line(2)}`);
  const follower = new MetricsFollower(path, { skip: ["curve"] });
  expect((await follower.read()).records.map(({ iteration }) => iteration)).toEqual([1, 2]);
  const follow = new MetricsFollower(path);
  for (const _ of [1, 2])
    await expect(follow.read()).rejects.toThrow(`line 2 of ${path} must be a JSON object`);
});
