import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { withFreePort } from "../../src/testing/index.ts";

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

/** Runs a script as each rank of a process group; the first that failed is the error. */
async function runRanks(script: string, worldSize: number, port: number): Promise<string[]> {
  const variables = { WORLD_SIZE: `${worldSize}`, MASTER_ADDR: "127.0.0.1", MASTER_PORT: `${port}` };
  const ranks = Array.from({ length: worldSize }, (_, rank) =>
    output(script, { ...variables, RANK: `${rank}` }),
  );
  await Promise.allSettled(ranks); // a port is free again only when all have ended
  return Promise.all(ranks);
}

/**
 * Runs a script of this folder as each rank of a process group, or on its own for a world size of 1, and reads what they
 * print as JSON.
 */
export async function launch<T>(script: string, worldSize: number): Promise<T[]> {
  if (worldSize === 1) return [JSON.parse(await output(script, { MASTER_ADDR: "" })) as T];
  const texts = await withFreePort((port) => runRanks(script, worldSize, port));
  return texts.map((text) => JSON.parse(text) as T);
}
