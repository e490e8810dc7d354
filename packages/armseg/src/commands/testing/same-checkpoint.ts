import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { loadSafetensors, tidy } from "@armseg/torch";
import { isOnCpu } from "@armseg/torch/testing";
import { expect } from "vitest";

/** Largest difference between norms of weights that were trained twice on a device that repeats no bits. */
const DRIFT = 0.05;

function hash(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

/** Norms of the network's weights by name. */
function norms(path: string): Map<string, number> {
  return tidy(() => {
    const weights = [...loadSafetensors(path).tensors].filter(([name]) => /^model\..*weight$/.test(name));
    return new Map(weights.map(([name, weight]) => [name, weight.norm().item()]));
  });
}

/**
 * Asserts that two checkpoints are the same: to the last bit on the CPU, where that is promised. Elsewhere sums run in
 * another order each time and trainings drift apart, so that only the sizes of the weights are compared.
 */
export function expectSameCheckpoint(actual: string, expected: string): void {
  if (isOnCpu) {
    expect(hash(actual)).toBe(hash(expected));
    return;
  }
  const [found, wanted] = [norms(actual), norms(expected)];
  expect([...found.keys()]).toEqual([...wanted.keys()]);
  for (const [name, norm] of wanted) {
    expect(Math.abs((found.get(name) as number) / norm - 1), name).toBeLessThan(DRIFT);
  }
}
