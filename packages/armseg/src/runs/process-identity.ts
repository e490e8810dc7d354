import { readFileSync } from "node:fs";
import { hostname } from "node:os";

/** Names one process beyond the reuse of its number: a number alone may belong to another process an hour later. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly host: string;
  /** Clock ticks between the machine's start and the process's, from `/proc`; null where there is no `/proc`. */
  readonly startTicks: string | null;
  /** Changes at every start of the machine; null where there is no `/proc`. */
  readonly bootId: string | null;
}

/** Returns the identity of this process. */
export function ownIdentity(): ProcessIdentity {
  return {
    pid: process.pid,
    host: hostname(),
    startTicks: startTicksOf(process.pid),
    bootId: bootId(),
  };
}

/**
 * Tells whether a process is still there: `"gone"` also where its number now belongs to a younger process or the machine
 * was restarted; `"unknown"` for a process of another host, which cannot be seen from here.
 */
export function processState(identity: ProcessIdentity): "alive" | "gone" | "unknown" {
  if (identity.host !== hostname()) return "unknown";
  const boot = bootId();
  if (boot === null || identity.bootId === null) return answersSignals(identity.pid) ? "alive" : "gone";
  if (boot !== identity.bootId) return "gone";
  return startTicksOf(identity.pid) === identity.startTicks ? "alive" : "gone";
}

/** Start time of a running process, null if there is none, or if it is dead and only waits for its parent. */
function startTicksOf(pid: number): string | null {
  const stat = readOrNull(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // The command's name stands in parentheses and may itself hold spaces and parentheses: proc(5), fields 3 and 22.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const isDead = fields[0] === "Z" || fields[0] === "X";
  return isDead ? null : (fields[19] ?? null);
}

function bootId(): string | null {
  return readOrNull("/proc/sys/kernel/random/boot_id")?.trim() ?? null;
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
