import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";

/** A port that nobody listened on a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function output(script: string, variables: Record<string, string>): Promise<string> {
  const child = spawn(process.execPath, [fileURLToPath(new URL(script, import.meta.url))], {
    env: { ...process.env, NODE_OPTIONS: "", ...variables },
  });
  return new Promise((resolve, reject) => {
    let [text, errors] = ["", ""];
    child.stdout.on("data", (data) => (text += data));
    child.stderr.on("data", (data) => (errors += data));
    child.on("close", (code) => (code === 0 ? resolve(text) : reject(new Error(`exit ${code}: ${errors}`))));
  });
}

/** Runs a script of this folder as each rank of a world, or on its own for a world of 1; what they print, read as JSON. */
export async function launch<T>(script: string, worldSize: number): Promise<T[]> {
  if (worldSize === 1) return [JSON.parse(await output(script, { MASTER_ADDR: "" })) as T];
  const port = await freePort();
  const texts = await Promise.all(
    Array.from({ length: worldSize }, (_, rank) =>
      output(script, {
        RANK: String(rank),
        WORLD_SIZE: String(worldSize),
        MASTER_ADDR: "127.0.0.1",
        MASTER_PORT: String(port),
      }),
    ),
  );
  return texts.map((text) => JSON.parse(text) as T);
}
