import { CommanderError } from "commander";
import { ConfigError } from "../config/read-config.ts";
import { printable } from "../core/printable.ts";
import { followLauncher, isLaunched, reportToLauncher } from "../distributed/launch.ts";
import { DONE, FAILED, UsageError, WRONG_USAGE } from "./exit-codes.ts";
import { buildProgram } from "./program.ts";

/**
 * Runs one command and says how it went; every error ends here.
 *
 * @param args - Without `node` and the script.
 * @returns The exit code: 0 done, 1 failed, 2 wrong usage, 130 or 143 after a signal.
 */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  const program = buildProgram();
  if (isLaunched()) followLauncher();
  try {
    await program.parseAsync(args.length === 0 ? ["--help"] : args, { from: "user" });
    return Number(process.exitCode ?? DONE);
  } catch (error) {
    // Commander has printed its message already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? DONE : WRONG_USAGE;
    if (isLaunched()) reportToLauncher(errorText(error));
    else process.stderr.write(`armseg: ${printable(errorText(error))}\n`);
    if (process.exitCode !== undefined) return Number(process.exitCode); // stopped by a signal
    return error instanceof UsageError || error instanceof ConfigError ? WRONG_USAGE : FAILED;
  }
}

/** One clear message; the whole stack with causes where `ARMSEG_DEBUG=1` asks for it. */
function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (process.env.ARMSEG_DEBUG !== "1") return error.message;
  const cause = error.cause === undefined ? "" : `\nCaused by: ${errorText(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
