import { spawnSync } from "node:child_process";
import { cpus } from "node:os";
import { argumentError } from "./argument-error.ts";
import type { Device } from "./dtype.ts";
import { getThreads, isCudaAvailable, libtorchVersion, synchronize } from "./runtime.ts";

/** What benchmarks run on. Which of several GPUs, the environment variable CUDA_VISIBLE_DEVICES says. */
export type BenchDevice = "cpu" | "cuda";

/** Where something was measured. */
export interface Place {
  readonly device: BenchDevice;
  /** Of the processor or the GPU. */
  readonly name: string;
  /** Processors in use; `null` on a GPU. */
  readonly threads: number | null;
  /** Version of ours; the peer's may be another. */
  readonly libtorch: string;
}

/**
 * Returns the device's name, with the threads that are set.
 *
 * @throws {Error} If this libtorch cannot use the device.
 */
export function placeOf(device: BenchDevice): Place {
  if (device === "cpu") {
    const name = cpus()[0]?.model.trim() ?? "unknown processor";
    return { device, name, threads: getThreads(), libtorch: libtorchVersion() };
  }
  if (!isCudaAvailable()) {
    throw new Error("placeOf(): expected a CUDA device, got a libtorch that sees none; ask `armseg doctor`");
  }
  return { device, name: gpuName() ?? "unknown GPU", threads: null, libtorch: libtorchVersion() };
}

/** Asks Python's PyTorch: libtorch does not tell without the CUDA toolkit's headers. */
function gpuName(): string | null {
  const python = findPython("cuda");
  if (python === null) return null;
  const { status, stdout } = spawnSync(python, ["-c", "import torch; print(torch.cuda.get_device_name())"], {
    encoding: "utf8",
  });
  return status === 0 ? stdout.trim() : null;
}

/** Formats it as one line: `NVIDIA H200, libtorch 2.11.0`. */
export function placeText({ name, threads, libtorch }: Place): string {
  return [name, ...(threads === null ? [] : [`${threads} threads`]), `libtorch ${libtorch}`].join(", ");
}

/** Returns the middle of a list of numbers. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) throw argumentError("median", "at least one number", "none");
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] as number)) / 2;
}

/** Measures the time of one run in milliseconds, until the device has done what was queued on it. */
export function timeMs(run: () => unknown, device: Device = "cpu"): number {
  synchronize(device);
  const start = performance.now();
  run();
  synchronize(device);
  return performance.now() - start;
}

/** Measures the median time of one run in milliseconds, after some runs that are not counted. */
export function medianMs(
  run: () => unknown,
  options: { runs: number; warmUp?: number; device?: Device },
): number {
  for (let i = 0; i < (options.warmUp ?? 2); i++) run();
  return median(Array.from({ length: options.runs }, () => timeMs(run, options.device)));
}

/** Where a Python with PyTorch may be; Debian's is not always the first on the path. */
const CANDIDATES = ["python3", "/usr/bin/python3"];

const found = new Map<string, string | null>();

/** Finds the first Python whose PyTorch can use the device, or `null`. */
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
 * @param options.timeoutSeconds - After which the script is killed. Default never.
 * @returns `null` where there is no Python with PyTorch for the device.
 * @throws {Error} If the script fails, or takes longer than it may.
 */
export function runPeer<T>(
  script: string,
  args: readonly string[],
  options: { threads: number; device?: BenchDevice; timeoutSeconds?: number },
): T | null {
  const python = findPython(options.device);
  if (python === null) return null;
  const threads = String(options.threads);
  const { timeoutSeconds } = options;
  const { status, stdout, stderr, error } = spawnSync(python, [script, ...args], {
    encoding: "utf8",
    env: { ...process.env, OMP_NUM_THREADS: threads, OPENBLAS_NUM_THREADS: threads },
    maxBuffer: 1 << 26,
    ...(timeoutSeconds !== undefined && { timeout: timeoutSeconds * 1000, killSignal: "SIGKILL" }),
  });
  if (error && "code" in error && error.code === "ETIMEDOUT")
    throw new Error(`runPeer(): ${python} ${script} took longer than ${timeoutSeconds} s`);
  if (status !== 0)
    throw new Error(`runPeer(): ${python} ${script} failed: ${stderr.trim().split("\n").at(-1)}`);
  return JSON.parse(stdout.trim().split("\n").at(-1) as string) as T;
}
