import { spawnSync } from "node:child_process";
import { cpus } from "node:os";
import { getThreads, isCudaAvailable, libtorchVersion } from "../runtime.ts";
import { findPython } from "./python.ts";

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
 * The device's name, with the threads that are set.
 *
 * @throws {Error} If this libtorch cannot use the device.
 */
export function placeOf(device: BenchDevice): Place {
  if (device === "cpu") {
    const name = cpus()[0]?.model.trim() ?? "unknown processor";
    return { device, name, threads: getThreads(), libtorch: libtorchVersion() };
  }
  if (!isCudaAvailable()) {
    throw new Error("placeOf(): expected a CUDA device, and this libtorch sees none; ask `armseg doctor`");
  }
  return { device, name: gpuName() ?? "unknown GPU", threads: null, libtorch: libtorchVersion() };
}

/** libtorch does not tell without the CUDA toolkit's headers; Python's PyTorch does. */
function gpuName(): string | null {
  const python = findPython("cuda");
  if (python === null) return null;
  const { status, stdout } = spawnSync(python, ["-c", "import torch; print(torch.cuda.get_device_name())"], {
    encoding: "utf8",
  });
  return status === 0 ? stdout.trim() : null;
}

/** One line: `NVIDIA H200, libtorch 2.11.0`. */
export function placeText({ name, threads, libtorch }: Place): string {
  return [name, ...(threads === null ? [] : [`${threads} threads`]), `libtorch ${libtorch}`].join(", ");
}
