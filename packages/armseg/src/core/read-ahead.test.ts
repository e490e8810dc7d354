import { expect, test } from "vitest";
import { readAhead } from "./read-ahead.ts";

async function* numbers(log: string[], failAt = Number.POSITIVE_INFINITY) {
  try {
    for (let i = 0; i < 3; i++) {
      log.push(`read ${i}`);
      if (i === failAt) throw new Error(`no ${i}`);
      yield i;
    }
  } finally {
    log.push("closed");
  }
}

test("the next is read before the one in hand is used; order and number are the same", async () => {
  const log: string[] = [];
  for await (const i of readAhead(numbers(log))) log.push(`use ${i}`);
  expect(log).toEqual(["read 0", "read 1", "use 0", "read 2", "use 1", "closed", "use 2"]);
});

test("an error comes out in its turn", async () => {
  const used: number[] = [];
  const all = async () => {
    for await (const i of readAhead(numbers([], 1))) used.push(i);
  };
  await expect(all()).rejects.toThrow("no 1");
  expect(used).toEqual([0]);
});

test("who stops early closes the source", async () => {
  const log: string[] = [];
  for await (const i of readAhead(numbers(log))) if (i === 0) break;
  expect(log.at(-1)).toBe("closed");
});
