import { expect, test } from "vitest";
import { Trailing } from "./trailing.ts";

/** A promise with the means to fulfil it. */
function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

test("the loop goes on while one is at work, and waits before it begins the next", async () => {
  const log: string[] = [];
  const first = gate();
  await using trailing = new Trailing();
  await trailing.start(async () => {
    await first.opened;
    log.push("first done");
  });
  log.push("loop goes on");
  const second = trailing.start(async () => void log.push("second done"));
  first.open();
  await second;
  await trailing.end();
  expect(log).toEqual(["loop goes on", "first done", "second done"]);
});

test("an error comes out at the next start, which is not begun, or at the end", async () => {
  const failing = () => Promise.reject(new Error("disk full"));
  const begun: string[] = [];
  const trailing = new Trailing();
  await trailing.start(failing);
  await expect(trailing.start(async () => void begun.push("second"))).rejects.toThrow("disk full");
  expect(begun).toEqual([]);
  await expect(trailing.end()).rejects.toThrow("disk full");
});

test("an error of the loop comes out when the work has ended, in place of the work's own", async () => {
  const log: string[] = [];
  const loop = async () => {
    await using trailing = new Trailing();
    await trailing.start(async () => {
      await new Promise(setImmediate);
      log.push("ended");
      throw new Error("of the work");
    });
    throw new Error("of the loop");
  };
  await expect(loop()).rejects.toThrow("of the loop");
  expect(log).toEqual(["ended"]);
});
