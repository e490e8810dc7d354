import { noGrad } from "../autograd.ts";
import type { Device } from "../dtype.ts";
import { ops, type Tensor } from "../tensor.ts";

/** Floating-point operations a second, in units of 10^9. */
export interface Rates {
  readonly matrixProduct: number;
  readonly convolution: number;
}

const MATRIX = 768;
const CHANNELS = 64;
const IMAGE = 64;

/** The best of a few runs: an idle machine's figure, which is what tells one library from another. */
function gigaflops(operations: number, run: () => Tensor): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 4; i++) {
    const start = performance.now();
    noGrad(() => run().sum().item()); // reading a number back waits for the device
    best = Math.min(best, performance.now() - start);
  }
  return operations / best / 1e6;
}

/** Measures a matrix product and a 3x3 convolution in float32; takes a fraction of a second. */
export function measureRates(device: Device = "cpu"): Rates {
  const a = ops.randn([MATRIX, MATRIX], { device });
  const image = ops.randn([2, CHANNELS, IMAGE, IMAGE], { device });
  const weight = ops.randn([CHANNELS, CHANNELS, 3, 3], { device });
  const rates = {
    matrixProduct: gigaflops(2 * MATRIX ** 3, () => a.matmul(a)),
    convolution: gigaflops(2 * 2 * IMAGE ** 2 * CHANNELS ** 2 * 9, () =>
      ops.conv2d(image, weight, { padding: 1 }),
    ),
  };
  for (const tensor of [a, image, weight]) tensor.dispose();
  return rates;
}
