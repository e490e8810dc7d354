import type { Device, Tensor } from "@armseg/torch";
import { ops, tidy } from "@armseg/torch";
import { isKernelLibraryBuilt, kernel } from "./library.ts";
import { predict, unsupportedCudaReason } from "./operators.ts";

/** Of a loss or a gradient, relative to the largest; float32 sums in another order are at 1e-6. */
const TOLERANCE = 1e-4;

/** What is known of each GPU: the reason, or `null` for one that can be used. */
const known = new Map<Device, string | null>();

/** What 8 bits tell apart. */
const MOST_CLASSES = 256;

/**
 * Returns why the fused operators cannot take these logits, or `null` if they can. It looks at their dtype, classes and device.
 *
 * The first call for a GPU takes seconds: its kernels are compiled and loaded. They are then used once beside the processor's,
 * on a few hundred pixels, and refused if the numbers differ: machine code made on the spot, for hardware that nobody has
 * tried it on, is not taken on trust.
 *
 * @param logits - `[N, C, h, w]`.
 */
export function unsupportedReason(logits: Tensor): string | null {
  if (logits.dtype === "float64") return "float64 logits";
  if (logits.size(1) > MOST_CLASSES) return `${logits.size(1)} classes; the kernels take ${MOST_CLASSES}`;
  return unsupportedDeviceReason(logits.device);
}

/** Returns the part of {@link unsupportedReason} that depends on the device alone. */
export function unsupportedDeviceReason(device: Device): string | null {
  if (!isKernelLibraryBuilt()) return "they were not built; run `npx armseg setup`";
  if (device === "cpu") return null;
  if (!device.startsWith("cuda")) return `logits on ${device}; the kernels run on the CPU and on CUDA`;
  const found = known.get(device);
  if (found !== undefined) return found;
  const reason = unsupportedGpuReason(device);
  known.set(device, reason);
  return reason;
}

function unsupportedGpuReason(device: Device): string | null {
  const index = Number(device.split(":")[1] ?? 0);
  try {
    return unsupportedCudaReason(index) ?? differenceReason("cpu", device);
  } catch (error) {
    return `the kernels fail on ${device}: ${(error as Error).message.split("\n")[0]}`;
  }
}

/** Compares the kernels of two devices on one small image, and returns how they differ; `null` where they agree. */
export function differenceReason(trusted: Device, device: Device): string | null {
  return tidy(() => {
    const [expected, found] = [smallLoss(trusted), smallLoss(device)];
    for (const [i, values] of expected.entries()) {
      const worst = found[i]!.sub(values).abs().max().div(values.abs().max()).item();
      // NaN is no agreement either.
      if (!(worst <= TOLERANCE)) {
        return `the kernels of ${device} and ${trusted} differ by ${worst.toExponential(1)}; please report it, with the output of \`armseg doctor\``;
      }
    }
    return null;
  });
}

/**
 * Objective, gradients of logits and knots, and label map of made-up logits that need no random numbers; float64, on the CPU.
 * The operator below autograd gives them, so that it does not matter what mode the caller is in.
 */
function smallLoss(device: Device): Tensor[] {
  const size = [31, 45] as const;
  const labels = ops
    .arange(2 * size[0] * size[1], { device })
    .mul(7)
    .remainder(6)
    .to("uint8");
  const wave = ops
    .arange(2 * 5 * 7 * 9, { dtype: "float32", device })
    .mul(0.37)
    .sin()
    .mul(3);
  const logits = wave.reshape([2, 5, 7, 9]);
  const knots = ops.linspace(0.9, 0.1, 129, { dtype: "float32", device });
  const found = kernel("_reweighted_loss")(logits, labels.reshape([2, ...size]), knots, {
    ignoreIndex: 5,
    logitsGradient: true,
    knotsGradient: true,
  }) as Tensor[];
  const [objective, , , , forLogits, , forKnots] = found as [
    Tensor,
    Tensor,
    Tensor,
    Tensor,
    Tensor,
    Tensor,
    Tensor,
  ];
  const results = [objective, forLogits, forKnots, predict(logits, size)];
  return results.map((result) => result.to("cpu", "float64"));
}
