import { noGrad } from "../autograd.ts";
import type { Device, DType } from "../dtype.ts";
import { tidy } from "../scope.ts";
import { ops, type Tensor } from "../tensor.ts";

/** Floating-point operations per second, in units of 10^9. */
export interface Rates {
  readonly matrixProduct: number;
  readonly convolution: number;
}

const MATRIX = 768;
const CHANNELS = 64;
const IMAGE = 64;

/** Takes the best of a few runs: an idle machine's figure, which is what tells one library from another. */
function gigaflops(operations: number, run: () => Tensor): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 4; i++) {
    const start = performance.now();
    noGrad(() => tidy(() => run().sum().item())); // reading a number back waits for the device
    best = Math.min(best, performance.now() - start);
  }
  return operations / best / 1e6;
}

/** Measures a 3x3 convolution, with tensors that use no random numbers. */
function convolutionRate(device: Device, dtype: DType): number {
  const image = ops.ones([2, CHANNELS, IMAGE, IMAGE], { device, dtype });
  const weight = ops.ones([CHANNELS, CHANNELS, 3, 3], { device, dtype });
  try {
    return gigaflops(2 * 2 * IMAGE ** 2 * CHANNELS ** 2 * 9, () => ops.conv2d(image, weight, { padding: 1 }));
  } finally {
    image.dispose();
    weight.dispose();
  }
}

/** Measures a matrix product and a 3x3 convolution in float32; takes a fraction of a second. */
export function measureRates(device: Device = "cpu"): Rates {
  const a = ops.ones([MATRIX, MATRIX], { device });
  const matrixProduct = gigaflops(2 * MATRIX ** 3, () => a.matmul(a));
  a.dispose();
  return { matrixProduct, convolution: convolutionRate(device, "float32") };
}

/**
 * Measures how many times as fast as in float32 a convolution runs in a dtype of reduced precision, measured now: above 1 on hardware
 * made for it, far below 1 on a processor that must emulate it.
 *
 * @throws If the device has no such convolution.
 */
export function convolutionSpeedup(dtype: DType, device: Device = "cpu"): number {
  return convolutionRate(device, dtype) / convolutionRate(device, "float32");
}
