import { expect, test } from "vitest";
import { HashRandom } from "./hash-random.ts";

const take = (random: HashRandom, count: number) => Array.from({ length: count }, () => random.next());

test("streams repeat by key and are unrelated otherwise", () => {
  expect(take(new HashRandom(1, 2), 5)).toEqual(take(new HashRandom(1, 2), 5));
  const firsts = new Set<number>();
  for (let seed = -50; seed < 50; seed++) {
    for (let index = 0; index < 100; index++) firsts.add(new HashRandom(seed, index).bits());
  }
  // 10,000 draws of 32 bits collide 0.01 times on average.
  expect(firsts.size).toBeGreaterThan(9_997);
});

test("a fork depends on its purpose and not on what was drawn", () => {
  const random = new HashRandom(9);
  const before = take(random.fork(1), 3);
  random.next();
  expect(take(random.fork(1), 3)).toEqual(before);
  expect(take(random.fork(2), 3)).not.toEqual(before);
});

test("numbers are uniform and normal ones have mean 0 and variance 1", () => {
  const random = new HashRandom(4);
  const uniform = take(random, 20_000);
  const mean = uniform.reduce((sum, x) => sum + x, 0) / 20_000;
  expect(Math.abs(mean - 0.5)).toBeLessThan(0.01);
  const bins = new Float64Array(20);
  for (const x of uniform) bins[Math.floor(x * 20)]!++;
  const chi2 = bins.reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0);
  // 19 degrees of freedom: above 43.8 once in a thousand.
  expect(chi2).toBeLessThan(43.8);
  const normal = Array.from({ length: 20_000 }, () => random.normal());
  expect(Math.abs(normal.reduce((sum, x) => sum + x, 0) / 20_000)).toBeLessThan(0.03);
  expect(Math.abs(normal.reduce((sum, x) => sum + x * x, 0) / 20_000 - 1)).toBeLessThan(0.04);
});
