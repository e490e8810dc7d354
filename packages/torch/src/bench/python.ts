import { spawnSync } from "node:child_process";

/** Where a Python with PyTorch may be; Debian's is not always the first on the path. */
const CANDIDATES = ["python3", "/usr/bin/python3"];

let found: string | null | undefined;

/** The first Python that can import torch, or `null`. */
export function findPython(): string | null {
  found ??= CANDIDATES.find((python) => spawnSync(python, ["-c", "import torch"]).status === 0) ?? null;
  return found;
}

/**
 * Runs a benchmark's Python script and reads the JSON that it prints last.
 *
 * @param threads - Threads for PyTorch, through the environment, so that both sides have the same.
 * @returns `null` where there is no Python with PyTorch.
 */
export function runPeer<T>(script: string, args: readonly string[], threads: number): T | null {
  const python = findPython();
  if (python === null) return null;
  const { status, stdout, stderr } = spawnSync(python, [script, ...args], {
    encoding: "utf8",
    env: { ...process.env, OMP_NUM_THREADS: String(threads), OPENBLAS_NUM_THREADS: String(threads) },
    maxBuffer: 1 << 26,
  });
  if (status !== 0)
    throw new Error(`runPeer(): ${python} ${script} failed: ${stderr.trim().split("\n").at(-1)}`);
  return JSON.parse(stdout.trim().split("\n").at(-1) as string) as T;
}
