import { distributed } from "@armseg/torch";
import { isOnCpu } from "@armseg/torch/testing";
import { describe, expect, test } from "vitest";
import { KilledRuns } from "./kills.ts";

/** A short part of `npm run test:torture`, at points where most is at stake. */
const OF_ONE = [
  ["before rename scenes", "before rename scan-train.json", "before backward 3", "after rename index.json"],
  ["after backward 9", "before evaluate 1", "before evaluate 2", "torn write train/loss"],
];
const OF_TWO = [
  ["rank 1: before backward 3", "rank 0: after backward 7", "rank 1: before evaluate 1"],
  [
    "rank 0: before rename iteration-00000012.safetensors",
    "rank 1: after backward 6",
    "rank 0: before evaluate 1",
  ],
];

const hasGloo = distributed.processGroupDevices().includes("cpu");

describe.skipIf(!isOnCpu).each([
  [1, OF_ONE],
  [2, hasGloo ? OF_TWO : []],
])("runs of %i processes, killed at named points on each and resumed", (processes, cases) => {
  test.skipIf(cases.length === 0)(
    "are bitwise those that were not disturbed, and leave nothing behind",
    async () => {
      using runs = new KilledRuns(processes);
      await runs.prepare();
      for (const [i, faults] of cases.entries())
        expect(await runs.try(`killed-${i}`, faults)).toEqual({ struck: faults, problem: "" });
    },
    600_000,
  );
});
