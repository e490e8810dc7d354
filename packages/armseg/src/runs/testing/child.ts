import { type SpawnSyncReturns, spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { temporaryFolder } from "./folders.ts";

/** What `./` means in the code of a child: `src`. */
const SOURCES = join(import.meta.dirname, "../..");
const TSX = import.meta.resolve("tsx");

/** Runs TypeScript code in a process of its own, to the end. */
export function runChild(
  code: string,
  options: { readonly fileSizeLimitKiB?: number } = {},
): SpawnSyncReturns<string> {
  const node = [process.execPath, "--import", TSX, scriptOf(code)];
  const { fileSizeLimitKiB } = options;
  // ulimit -f counts blocks of 512 bytes in sh.
  const command =
    fileSizeLimitKiB === undefined
      ? node
      : ["sh", "-c", `ulimit -f ${2 * fileSizeLimitKiB}; exec "$@"`, "sh", ...node];
  return spawnSync(command[0]!, command.slice(1), { encoding: "utf8", env: childEnvironment() });
}

/** Starts TypeScript code in a process of its own; returns once it has printed "ready". */
export async function startChild(code: string): Promise<{ readonly pid: number; kill(): Promise<void> }> {
  const child = spawn(process.execPath, ["--import", TSX, scriptOf(code)], {
    stdio: ["ignore", "pipe", "inherit"],
    env: childEnvironment(),
  });
  const ended = new Promise<void>((done) => child.once("close", () => done()));
  const kill = () => {
    child.kill("SIGKILL");
    return ended;
  };
  onTestFinished(kill);
  await new Promise<void>((ready, failed) => {
    child.stdout.on("data", (text: Buffer) => {
      if (text.includes("ready")) ready();
    });
    child.once("close", (status) => failed(new Error(`startChild(): the child ended with ${status}.`)));
  });
  return { pid: child.pid!, kill };
}

function scriptOf(code: string): string {
  const script = join(temporaryFolder(), "child.mts");
  fs.writeFileSync(script, code.replaceAll('from "./', `from "${SOURCES}/`));
  return script;
}

/** Vitest's own settings would make the child speak to it. */
function childEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, ...environment } = process.env;
  return environment;
}
