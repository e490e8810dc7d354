import { unsupportedDeviceReason } from "@armseg/kernels";
import {
  convolutionSpeedup,
  isCudaAvailable,
  keepFreedMemory,
  libtorchVersion,
  manualSeed,
  useCudnnBenchmark,
  useDeterministicAlgorithms,
} from "@armseg/torch";
import type { Config } from "../config/schema.ts";

/** Below this, reduced precision costs time; hardware made for it is at 1.5 or more. */
const LEAST_SPEEDUP = 0.9;

/**
 * Sets this process up for a training: device, memory, determinism, seed.
 *
 * @param say - Told of what will be slow here.
 * @throws {Error} If the training is to run on a GPU and libtorch sees none.
 */
export function prepareProcess({ training }: Config, say: (text: string) => void): void {
  requireDevice(training.device);
  keepFreedMemory();
  useDeterministicAlgorithms(training.deterministic);
  useCudnnBenchmark(!training.deterministic); // crops have one size
  manualSeed(training.seed);
  warnOfSlowPrecision(training, say);
  warnOfMissingKernels(unsupportedDeviceReason(training.device), say);
}

/** Without the fused operators everything works, and nothing else would say why it takes so long. */
export function warnOfMissingKernels(reason: string | null, say: (text: string) => void): void {
  if (reason === null) return;
  say(
    `the fused operators are not used: ${reason}; the loss takes up to a hundred times longer without them`,
  );
}

/** Before anything is read: else the first tensor would say it, in the words of an operator. */
function requireDevice(device: string): void {
  if (!device.startsWith("cuda") || isCudaAvailable()) return;
  throw new Error(
    `training.device is ${device}, and libtorch ${libtorchVersion()} sees no GPU here: it was built without CUDA, or the driver is missing. ` +
      "Set up one with CUDA (npx armseg setup --cuda), or train with --set training.device=cpu",
  );
}

/** A processor that must emulate bfloat16 is up to twenty times slower in it, and nothing else would say so. */
function warnOfSlowPrecision({ device, precision }: Config["training"], say: (text: string) => void): void {
  if (device !== "cpu" || precision === "float32") return;
  const speedup = convolutionSpeedup(precision);
  if (speedup >= LEAST_SPEEDUP) return;
  say(
    `training.precision ${precision}: on this processor a convolution is ${(1 / speedup).toFixed(1)} times slower than in float32; ` +
      "train with --set training.precision=float32",
  );
}
