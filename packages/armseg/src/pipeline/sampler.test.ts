import fc from "fast-check";
import { expect, test } from "vitest";
import { createSampler, type SampleRef, type SamplerOptions } from "./sampler.ts";

function take(options: SamplerOptions, from: number, count: number): SampleRef[][] {
  const sampler = createSampler(options);
  return Array.from({ length: count }, (_, i) => sampler.batch(from + i));
}

const key = ({ source, index }: SampleRef) => `${source}:${index}`;

test("an epoch shows every sample once, and the next one in another order", () => {
  const options = { seed: 3, sizes: [7, 5], batchSize: 4 };
  const first = take(options, 0, 3).flat().map(key);
  const second = take(options, 3, 3).flat().map(key);
  expect(new Set(first).size).toBe(12);
  expect(new Set(second)).toEqual(new Set(first));
  expect(second).not.toEqual(first);
  expect(createSampler(options).iterationsPerEpoch).toBe(3);
});

test("a batch is a function of its iteration: asked alone or in any order, it is the same", () => {
  fc.assert(
    fc.property(
      fc.record({
        seed: fc.nat(),
        sizes: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 3 }),
        batchSize: fc.integer({ min: 1, max: 5 }),
        worldSize: fc.integer({ min: 1, max: 3 }),
      }),
      fc.array(fc.nat(200), { minLength: 1, maxLength: 8 }),
      (rest, iterations) => {
        const options = { ...rest, dropLast: false };
        const inOrder = createSampler(options);
        const all = Array.from({ length: 201 }, (_, i) => inOrder.batch(i));
        for (const i of iterations) expect(createSampler(options).batch(i)).toEqual(all[i]);
      },
    ),
    { numRuns: 50 },
  );
});

test("the ranks' batches put together are the batch of one process", () => {
  const options = { seed: 1, sizes: [30, 50], dropLast: false };
  const one = take({ ...options, batchSize: 6 }, 0, 40);
  const ranks = [0, 1, 2].map((rank) => take({ ...options, batchSize: 2, rank, worldSize: 3 }, 0, 40));
  one.forEach((batch, i) => {
    expect(ranks.flatMap((batches) => batches[i] ?? [])).toEqual(batch);
  });
});

test("dropLast leaves out what does not fill a batch, so no batch holds a sample twice", () => {
  const dropping = { seed: 5, sizes: [10], batchSize: 4 };
  expect(createSampler(dropping).iterationsPerEpoch).toBe(2);
  for (const batch of take(dropping, 0, 60)) expect(new Set(batch.map(key)).size).toBe(4);
  const keeping = { ...dropping, dropLast: false };
  expect(createSampler(keeping).iterationsPerEpoch).toBe(2.5);
  expect(new Set(take(keeping, 0, 5).flat().slice(0, 10).map(key)).size).toBe(10);
  expect(new Set(take(keeping, 0, 5).flat().slice(10).map(key)).size).toBe(10);
});

test("without shuffling the order is that of the list, over and over", () => {
  const drawn = take({ seed: 2, sizes: [2, 1], batchSize: 1, shuffle: false }, 0, 6).flat();
  expect(drawn.map(key)).toEqual(["0:0", "0:1", "1:0", "0:0", "0:1", "1:0"]);
});

test("replacements are of the same source, repeatable, and another with each attempt", () => {
  const sampler = createSampler({ seed: 2, sizes: [5, 1000], batchSize: 4 });
  const bad = { source: 1, index: 7 };
  const picked = [0, 1, 2, 3].map((attempt) => sampler.replacement(bad, 9, 2, attempt));
  expect(picked).toEqual([0, 1, 2, 3].map((attempt) => sampler.replacement(bad, 9, 2, attempt)));
  expect(picked.every(({ source, index }) => source === 1 && index >= 0 && index < 1000)).toBe(true);
  expect(new Set(picked.map(key)).size).toBe(4);
});

test("options that make no sense are named errors", () => {
  const options = { seed: 1, sizes: [3], batchSize: 2 };
  expect(() => createSampler({ ...options, batchSize: 4 })).toThrow("set dropLast: false");
  expect(() => createSampler({ ...options, batchSize: 0 })).toThrow(
    "batchSize to be a whole number of at least 1, got 0",
  );
  expect(() => createSampler({ ...options, sizes: [] })).toThrow("at least one sample");
  expect(() => createSampler({ ...options, rank: 1 })).toThrow("rank 1 of 1");
});
