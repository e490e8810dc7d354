import fc from "fast-check";
import { expect, test } from "vitest";
import { golden } from "../pipeline/golden/read-golden.ts";
import { CounterRandom, philox4x32, STREAMS } from "./random.ts";

const KEY = { seed: 1, iteration: 2, index: 3, stream: STREAMS.crop };

test("Philox 4x32-10 gives the known answers of its authors' library and of an implementation with big integers", () => {
  for (const { counter, key, words } of golden.random.philox) expect(philox4x32(counter, key)).toEqual(words);
});

test("the words of a key are Philox of (block, stream, index, iteration) under the 64-bit seed", () => {
  const random = new CounterRandom(golden.random.stream.key);
  expect(golden.random.stream.words.map(() => random.uint32())).toEqual(golden.random.stream.words);
});

test("each part of the key gives another sequence, and the same key the same", () => {
  const first = (key: typeof KEY) => new CounterRandom({ ...KEY, ...key }).uint32();
  expect(first(KEY)).toBe(first({ ...KEY }));
  const others = [
    first({ ...KEY, seed: 2 }),
    first({ ...KEY, seed: 1 + 2 ** 40 }),
    first({ ...KEY, iteration: 3 }),
    first({ ...KEY, index: 4 }),
    first({ ...KEY, stream: STREAMS.flip as never }),
  ];
  expect(new Set([first(KEY), ...others]).size).toBe(6);
});

test("uniform numbers lie in their range, fill it and average to its middle", () => {
  const random = new CounterRandom(KEY);
  const drawn = Array.from({ length: 20000 }, () => random.uniform(-2, 4));
  expect(Math.min(...drawn)).toBeGreaterThanOrEqual(-2);
  expect(Math.max(...drawn)).toBeLessThan(4);
  // Standard error of the mean: 6/sqrt(12)/sqrt(20000) = 0.012.
  expect(Math.abs(drawn.reduce((a, b) => a + b) / drawn.length - 1)).toBeLessThan(0.05);
});

test("whole numbers reach both ends of their range and nothing else, evenly", () => {
  const random = new CounterRandom(KEY);
  const counts = new Map<number, number>();
  for (let i = 0; i < 30000; i++) {
    const value = random.integer(-1, 2);
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  expect([...counts.keys()].sort()).toEqual([-1, 0, 1].sort());
  for (const count of counts.values()) expect(Math.abs(count - 10000)).toBeLessThan(400);
  expect(random.integer(5, 6)).toBe(5);
});

test("a coin of probability 0 never shows, one of probability 1 always", () => {
  fc.assert(
    fc.property(fc.nat(2 ** 32 - 1), (iteration) => {
      expect(new CounterRandom({ ...KEY, iteration }).coin(0)).toBe(false);
      expect(new CounterRandom({ ...KEY, iteration }).coin(1)).toBe(true);
    }),
  );
});

test("keys and ranges that make no sense are named errors", () => {
  expect(() => new CounterRandom({ ...KEY, seed: 0.5 })).toThrow("expected seed to be a whole number");
  expect(() => new CounterRandom({ ...KEY, iteration: -1 })).toThrow("expected iteration to be");
  expect(() => new CounterRandom({ ...KEY, index: 2 ** 32 })).toThrow("expected index to be");
  expect(() => new CounterRandom(KEY).integer(3, 3)).toThrow("low < high");
});
