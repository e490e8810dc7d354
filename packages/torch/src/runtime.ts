import { cpus } from "node:os";
import { argumentError } from "./argument-error.ts";
import type { Device } from "./dtype.ts";
import { binding } from "./native/load.ts";

/** Returns the version of the libtorch that is loaded, e.g. `1.13.0`. */
export function libtorchVersion(): string {
  return binding.version();
}

/** Threads that one operator on the CPU may use; of this JavaScript thread. */
export function getThreads(): number {
  return binding.threads();
}

/** Threads beyond this only wait; and a process that the system refuses one more of them dies. */
const MOST_THREADS = Math.max(64, 4 * cpus().length);

/** @throws If it is no positive integer, or far beyond the processors of this machine: at most four times as many, or 64. */
export function setThreads(count: number): void {
  if (!Number.isInteger(count) || count < 1 || count > MOST_THREADS) {
    throw argumentError("setThreads", `an integer from 1 to ${MOST_THREADS}`, count);
  }
  binding.setThreads(count);
}

/** Tells whether operators without a deterministic implementation throw. */
export function isDeterministic(): boolean {
  return binding.isDeterministic();
}

/** Makes operators choose deterministic implementations, and throw where there is none. */
export function useDeterministicAlgorithms(isOn = true): void {
  binding.setDeterministic(isOn);
}

/** Lets cuDNN time its algorithms for each new shape and keep the fastest. */
export function useCudnnBenchmark(isOn = true): void {
  binding.setCudnnBenchmark(isOn);
}

/**
 * Whether CUDA may round the factors of float32 products to TF32's 10 bits of mantissa: faster, and off by 1e-3 where
 * float32 is off by 1e-6. libtorch starts with it on for convolutions and off for matrix products.
 */
export function allowTf32(isOn = true): void {
  binding.allowTf32(isOn);
}

/** Tells whether this libtorch can use CUDA, here and now. */
export function isCudaAvailable(): boolean {
  return binding.hasCuda() && binding.cudaDeviceCount() > 0;
}

/**
 * Waits for all work queued on a CUDA device, whose operators return before they are done; on the CPU there is none to wait for.
 *
 * @param device - `cpu`, `cuda` (the current GPU) or `cuda:1`.
 * @throws {RangeError} If it is another kind of device, or there is no such GPU here.
 * @example
 * synchronize("cuda"); // before the clock is started, and before it is read
 */
export function synchronize(device: Device): void {
  if (device === "cpu") return;
  const match = /^cuda(?::(\d+))?$/.exec(device);
  if (!match || Number(match[1] ?? 0) >= binding.cudaDeviceCount()) {
    throw argumentError("synchronize", "cpu or a CUDA device of this machine", device);
  }
  binding.synchronize(device);
}

/**
 * Keeps memory that tensors free in the process instead of giving it back to the system: a training loop allocates the
 * same amount each iteration, and page faults cost it some percent of its time. For the whole process, for good.
 */
export function keepFreedMemory(): void {
  binding.keepFreedMemory();
}

/** Loads a library of torch operators; call them with `operator("namespace::name")`. */
export function loadLibrary(path: string): void {
  binding.loadLibrary(path);
}
