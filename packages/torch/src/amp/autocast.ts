import type { Device } from "../dtype.ts";
import { binding } from "../native/load.ts";
import { tidy } from "../scope.ts";

export interface AutocastOptions {
  /** What convolutions and matrix products are computed in. Default bfloat16 on the CPU, float16 elsewhere. */
  readonly dtype?: "float16" | "bfloat16";
  /** Default true; false switches a surrounding autocast off. */
  readonly enabled?: boolean;
  /** Whether a weight is converted once for the whole of `body`, not at each use. Default true. */
  readonly cacheEnabled?: boolean;
}

/**
 * Runs `body` in mixed precision: operators that gain from it run in half precision, those that need it in float32.
 * Both the parameters and their gradients stay float32; call `backward()` outside. It is a {@link tidy} of its own.
 *
 * @param device - The type of device whose operators are meant: `cpu` or `cuda`.
 * @throws {TypeError} If `body` returns a promise.
 * @example
 * const loss = autocast("cpu", {}, () => lossOf(net.call(images), labels));
 */
export function autocast<T>(device: Device, options: AutocastOptions, body: () => T): T {
  const kind = device.split(":")[0] as string;
  const { dtype = kind === "cpu" ? "bfloat16" : "float16", enabled = true, cacheEnabled = true } = options;
  const before = binding.enterAutocast(kind, enabled, dtype, cacheEnabled);
  try {
    return tidy(body); // refuses a promise, which would run on with autocast switched back
  } finally {
    binding.leaveAutocast(kind, before.enabled, before.dtype, before.cache);
  }
}
