import { createServer } from "node:net";
import { expect, test } from "vitest";
import { withFreePort } from "../src/testing/index.ts";

/** Listens on a port, or says as libtorch does that it is taken. */
async function listen(port: number): Promise<number> {
  const server = createServer().listen(port, "127.0.0.1");
  await new Promise((resolve, reject) => server.once("listening", resolve).once("error", reject));
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test("a port that is taken in the meantime is replaced by another", async () => {
  const taken: number[] = [];
  const used = await withFreePort(async (port) => {
    taken.push(port);
    if (taken.length < 3) throw new Error(`bind to 127.0.0.1:${port}: Address already in use`);
    return listen(port);
  });
  expect(taken).toHaveLength(3);
  expect(used).toBe(taken.at(-1));
});

test("three taken ports, or any other failure, are errors", async () => {
  let attempts = 0;
  const fail = (message: string) =>
    withFreePort(() => {
      attempts += 1;
      return Promise.reject(new Error(message));
    });
  await expect(fail("EADDRINUSE: address already in use")).rejects.toThrow("in use");
  expect(attempts).toBe(3);
  await expect(fail("out of luck")).rejects.toThrow("out of luck");
  expect(attempts).toBe(4);
});
