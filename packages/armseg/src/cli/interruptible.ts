import { INTERRUPTED } from "./exit-codes.ts";

/**
 * Runs work that SIGINT (Ctrl-C) and SIGTERM ask to stop: it is given a signal and ends in order; a second Ctrl-C ends the
 * process at once.
 *
 * After a signal the process's exit code is 130 or 143, whatever the work returns.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals) => {
    const code = INTERRUPTED[name] as number;
    if (controller.signal.aborted) process.exit(code);
    process.stderr.write(
      `\n${name}: stopping in order; ${name === "SIGINT" ? "Ctrl-C" : "another"} again stops at once\n`,
    );
    process.exitCode = code;
    controller.abort(new Error(`stopped by ${name}`));
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  try {
    return await work(controller.signal);
  } finally {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  }
}
