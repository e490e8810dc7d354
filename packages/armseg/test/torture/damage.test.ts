import { afterAll, beforeAll, expect, test } from "vitest";
import { DamagedRun, randomDamage } from "./damage.ts";
import { Random } from "./random.ts";

const run = new DamagedRun();
beforeAll(() => run.prepare());
afterAll(() => run[Symbol.dispose]());

const CASES = 12;

test("each file of a run, cut anywhere or changed anywhere: named, passed over or read rightly", async () => {
  expect(run.files).toEqual(
    expect.arrayContaining(["checkpoints/index.json", "config.yaml", "environment.json", "metrics.jsonl"]),
  );
  const faults: string[] = [];
  for (const [i, file] of run.files.entries()) {
    const random = new Random(i);
    for (let number = 0; number < CASES; number++) {
      for (const fault of await run.try(file, randomDamage(random)))
        faults.push(`${file}, ${number}: ${fault}`);
    }
    for (const fault of await run.try(file, (bytes) => bytes.subarray(0, 0)))
      faults.push(`${file}, empty: ${fault}`);
  }
  expect(faults).toEqual([]);
});
