import { expect, test } from "vitest";
import { withFirstError } from "./first-error.ts";

const failing = (message: string): Disposable => ({
  [Symbol.dispose]: () => {
    throw new Error(message);
  },
});

test("what goes wrong first is what is thrown, not what goes wrong while things are closed", async () => {
  const body = async () => {
    using _lock = failing("the lock");
    using _log = failing("the log");
    throw new Error("the disk is full");
  };
  await expect(withFirstError(body)).rejects.toThrow("the disk is full");
});

test("an error in closing alone is thrown, and results are passed on", async () => {
  const body = async () => {
    using _log = failing("the log");
  };
  await expect(withFirstError(body)).rejects.toThrow("the log");
  expect(await withFirstError(async () => 1)).toBe(1);
});
