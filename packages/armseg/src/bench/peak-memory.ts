import { readFileSync, writeFileSync } from "node:fs";

/** Returns the peak resident memory of a call beyond what was there before it, in bytes; `null` where the system does not tell (Linux does). */
export function peakBytes(run: () => unknown): number | null {
  try {
    // Resets the high-water mark of the process.
    writeFileSync("/proc/self/clear_refs", "5");
    const before = statusBytes("VmRSS");
    run();
    return statusBytes("VmHWM") - before;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).path?.startsWith("/proc/")) return null;
    throw error;
  }
}

function statusBytes(field: string): number {
  const line = readFileSync("/proc/self/status", "utf8")
    .split("\n")
    .find((text) => text.startsWith(`${field}:`));
  return Number(line?.match(/\d+/)?.[0]) * 1024;
}
