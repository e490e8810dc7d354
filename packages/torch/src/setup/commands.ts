import { type SpawnSyncOptions, spawnSync } from "node:child_process";

/** Runs a command with its output shown; throws if it fails. */
export function run(command: string, args: readonly string[], options: SpawnSyncOptions = {}): void {
  process.stdout.write(`$ ${[command, ...args].join(" ")}\n`);
  const { status, signal, error } = spawnSync(command, args, { stdio: "inherit", ...options });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} failed with ${signal ?? `exit code ${status}`}`);
}

/** Returns the output of a command, or `null` where it is missing or fails. */
export function capture(command: string, args: readonly string[]): string | null {
  const { status, stdout } = spawnSync(command, args, { encoding: "utf8" });
  return status === 0 ? stdout.trim() : null;
}
