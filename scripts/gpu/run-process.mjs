import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";

/** What a process has after SIGTERM to write its state, before it is killed. */
export const GRACE_SECONDS = 15;

/**
 * Runs a command with a limit; it and all that it has started get SIGTERM then, and SIGKILL after {@link GRACE_SECONDS}.
 *
 * @param options.output - `OUTPUT.out` gets its standard output, `OUTPUT.log` its errors, as they come.
 * @returns {Promise<{ code: number | null, isOver: boolean, stdout: string, error: string }>} Whether it was stopped, what it
 *   printed, and the last line of its errors.
 */
export async function runProcess(
  [command, ...args],
  { limitSeconds, output, graceSeconds = GRACE_SECONDS, ...options },
) {
  const files = [`${output}.out`, `${output}.log`];
  const [out, log] = files.map((file) => openSync(file, "w"));
  // A group of its own, so that a peer's compilers end with it.
  const child = spawn(command, args, { ...options, stdio: ["ignore", out, log], detached: true });
  let isOver = false;
  const timers = [];
  const signalAt = (seconds, signal) =>
    timers.push(
      setTimeout(() => {
        isOver = true;
        signalGroup(child.pid, signal);
      }, 1000 * seconds),
    );
  signalAt(limitSeconds, "SIGTERM");
  signalAt(limitSeconds + graceSeconds, "SIGKILL");
  const { code, problem } = await ended(child);
  timers.forEach(clearTimeout);
  signalGroup(child.pid, "SIGKILL"); // what it left behind
  closeSync(out);
  closeSync(log);
  const [stdout, errors] = files.map((file) => readFileSync(file, "utf8"));
  return { code, isOver, stdout, error: problem ?? lastLine(errors) };
}

function ended(child) {
  return new Promise((resolve) => {
    child.on("error", ({ message }) => resolve({ code: null, problem: message }));
    child.on("exit", (code) => resolve({ code, problem: null }));
  });
}

function signalGroup(pid, signal) {
  if (pid === undefined) return; // it never started
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (error.code !== "ESRCH") throw error; // nobody is left
  }
}

function lastLine(text) {
  return text.trim().split("\n").at(-1) ?? "";
}
