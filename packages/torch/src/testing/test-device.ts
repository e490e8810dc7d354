import type { Device } from "../dtype.ts";
import { allowTf32, isCudaAvailable } from "../runtime.ts";
import type { Tensor } from "../tensor.ts";

function chosenDevice(): Device {
  const device = process.env.ARMSEG_TEST_DEVICE ?? "cpu";
  if (device.startsWith("cuda")) {
    if (!isCudaAvailable()) {
      throw new Error(
        `ARMSEG_TEST_DEVICE=${device}: this libtorch has no CUDA device; unset it to test on the CPU, or set ` +
          "LIBTORCH to a build with CUDA, run `npm run setup`, and see what `armseg doctor` finds",
      );
    }
    allowTf32(false); // golden values are float32's
  }
  return device;
}

/** Where tests of the mathematics compute: the CPU, unless the variable ARMSEG_TEST_DEVICE names another device. */
export const testDevice: Device = chosenDevice();

/** Whether that is the CPU: the only device that promises the same bits, and PyTorch's own random numbers. */
export const isOnCpu = testDevice === "cpu";

/**
 * Puts a fresh tensor's values on the test device, in place of the tensor, which is disposed. A leaf stays a leaf.
 *
 * Inputs are made on the CPU and moved, so that every device is given the same random numbers.
 */
export function onTestDevice(made: Tensor): Tensor {
  if (isOnCpu) return made;
  using detached = made.detach();
  const moved = detached.to(testDevice, made.dtype);
  if (made.requiresGrad) moved.requiresGrad_();
  made.dispose();
  return moved;
}

/** Returns the largest error that a test allows on its device; say at the call why `cuda` is larger. */
export function tolerance(allowed: { readonly cpu: number; readonly cuda: number }): number {
  return isOnCpu ? allowed.cpu : allowed.cuda;
}
