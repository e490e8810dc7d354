import { createServer } from "node:net";

/** Another program may take a port between finding it free and listening on it. */
const ATTEMPTS = 3;

/** Finds a port of the loopback that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * Runs `body` with a port that nobody listens on, and again with another should somebody take that in the meantime.
 *
 * @throws What `body` throws, if its message does not say that an address is in use, or says so three times.
 */
export async function withFreePort<T>(body: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await body(await freePort());
    } catch (error) {
      if (attempt === ATTEMPTS || !/in use/i.test((error as Error).message)) throw error;
    }
  }
}
