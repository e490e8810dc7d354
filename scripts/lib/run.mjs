import { spawnSync } from "node:child_process";

/** Runs a command with its output shown; throws if it fails. */
export function run(command, args, options = {}) {
  process.stdout.write(`$ ${[command, ...args].join(" ")}\n`);
  const { status, error } = spawnSync(command, args, { stdio: "inherit", ...options });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} failed with exit code ${status}`);
}

/** The output of a command, or null where it is missing or fails. */
export function capture(command, args) {
  const { status, stdout } = spawnSync(command, args, { encoding: "utf8" });
  return status === 0 ? stdout.trim() : null;
}
