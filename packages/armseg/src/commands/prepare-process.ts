import {
  convolutionSpeedup,
  keepFreedMemory,
  manualSeed,
  useCudnnBenchmark,
  useDeterministicAlgorithms,
} from "@armseg/torch";
import type { Config } from "../config/schema.ts";

/** Below this, reduced precision costs time; hardware made for it is at 1.5 or more. */
const LEAST_SPEEDUP = 0.9;

/** Sets this process up for a training: memory, determinism, seed. @param say - Told of a precision that this processor is slow in. */
export function prepareProcess({ training }: Config, say: (text: string) => void): void {
  keepFreedMemory();
  useDeterministicAlgorithms(training.deterministic);
  useCudnnBenchmark(!training.deterministic); // crops have one size
  manualSeed(training.seed);
  warnOfSlowPrecision(training, say);
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
