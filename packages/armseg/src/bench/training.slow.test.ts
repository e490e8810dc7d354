import { findPython } from "@armseg/torch/bench";
import { expect, test } from "vitest";
import { benchTraining } from "./training.ts";

test("both sides train on the same scenes and are scored at the same iterations", async () => {
  const { ours, peer, miou, reached } = await benchTraining({
    iterations: 2,
    size: [2, 32, 32],
    scenes: { train: 12, val: 2 },
  });
  expect(ours.map(({ iteration }) => iteration)).toEqual([1, 2]);
  for (const { mIoU, cpuSeconds } of [...ours, ...(peer?.scores ?? [])]) {
    expect(mIoU).toBeGreaterThanOrEqual(0);
    expect(mIoU).toBeLessThan(100);
    expect(cpuSeconds).toBeGreaterThan(0);
  }
  expect(peer === null).toBe(findPython() === null);
  if (peer) expect(peer.scores.map(({ iteration }) => iteration)).toEqual([1, 2]);
  expect(reached.ours?.mIoU).toBeGreaterThanOrEqual(miou);
}, 600_000);
