import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memory, setThreads } from "@armseg/torch";
import { afterAll, expect, test } from "vitest";
import { smallConfig } from "./testing/small-run.ts";
import { startTraining } from "./train.ts";

/** More for a long look: an hour is about 15,000. */
const ITERATIONS = Number(process.env.ARMSEG_LONG_RUN ?? 600);
const folder = mkdtempSync(join(tmpdir(), "armseg-long-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Look {
  readonly tensors: number;
  readonly descriptors: number;
  readonly megabytes: number;
}

function look(): Look {
  const descriptors = existsSync("/proc/self/fd") ? readdirSync("/proc/self/fd").length : 0;
  return { tensors: memory().tensors, descriptors, megabytes: process.memoryUsage.rss() / 2 ** 20 };
}

/** Rise of the line of least squares, over the whole of the looks. */
function rise(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const middle = (values.length - 1) / 2;
  const products = values.map((value, i) => (i - middle) * (value - mean));
  const squares = values.map((_, i) => (i - middle) ** 2);
  const sum = (numbers: number[]) => numbers.reduce((total, value) => total + value, 0);
  return (sum(products) / sum(squares)) * (values.length - 1);
}

test("a long run with evaluations, checkpoints and a loader stays flat: tensors, descriptors, memory", async () => {
  setThreads(1);
  const config = smallConfig(folder, { iterations: ITERATIONS, checkpointEvery: 10 });
  const looks: Look[] = [];
  const stream = {
    write: (text: string) => {
      if (text.includes("mIoU")) looks.push(look()); // a line for each evaluation
    },
  };
  const training = { ...config.training, evaluateEvery: 15, workers: 1 };
  await startTraining({ ...config, training }, { folder: join(folder, "run"), stream });
  expect(looks).toHaveLength(ITERATIONS / 15);
  // What is made once (buffers of the optimiser, caches, compiled code) is made in the first part.
  const steady = looks.slice(Math.floor(looks.length / 4));
  expect(new Set(steady.map(({ tensors }) => tensors)).size).toBe(1);
  expect(Math.abs(rise(steady.map(({ descriptors }) => descriptors)))).toBeLessThan(3);
  expect(rise(steady.map(({ megabytes }) => megabytes))).toBeLessThan(30);
}, 3_600_000);
