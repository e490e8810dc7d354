import { spawnSync } from "node:child_process";
import type { BenchDevice } from "./device.ts";

/** Where a Python with PyTorch may be; Debian's is not always the first on the path. */
const CANDIDATES = ["python3", "/usr/bin/python3"];

const found = new Map<string, string | null>();

/** The first Python whose PyTorch can use the device, or `null`. */
export function findPython(device: BenchDevice = "cpu"): string | null {
  const probe = ["-c", "import sys, torch; torch.empty(1, device=sys.argv[1])", device];
  let python = found.get(device);
  if (python === undefined) {
    python = CANDIDATES.find((candidate) => spawnSync(candidate, probe).status === 0) ?? null;
    found.set(device, python);
  }
  return python;
}

/**
 * Runs a benchmark's Python script and reads the JSON that it prints last.
 *
 * @param options.threads - Threads for PyTorch, through the environment, so that both sides have the same.
 * @param options.device - What the script uses. Default cpu.
 * @returns `null` where there is no Python with PyTorch for the device.
 */
export function runPeer<T>(
  script: string,
  args: readonly string[],
  options: { threads: number; device?: BenchDevice },
): T | null {
  const python = findPython(options.device);
  if (python === null) return null;
  const threads = String(options.threads);
  const { status, stdout, stderr } = spawnSync(python, [script, ...args], {
    encoding: "utf8",
    env: { ...process.env, OMP_NUM_THREADS: threads, OPENBLAS_NUM_THREADS: threads },
    maxBuffer: 1 << 26,
  });
  if (status !== 0)
    throw new Error(`runPeer(): ${python} ${script} failed: ${stderr.trim().split("\n").at(-1)}`);
  return JSON.parse(stdout.trim().split("\n").at(-1) as string) as T;
}
