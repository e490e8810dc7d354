import { amp, type Device, ops, synchronize, tidy } from "@armseg/torch";
import { type SegmenterConfig, type SegmenterOutput, segmenter } from "./segmenter.ts";

export interface TimeStepOptions {
  readonly batch: number;
  /** `[height, width]` in pixels. */
  readonly crop: readonly [height: number, width: number];
  readonly device: Device;
  /** Of the forward pass. */
  readonly precision: "float32" | "bfloat16" | "float16";
  /** Steps that are timed, behind one that is not. Default 2. */
  readonly repeats?: number;
  /**
   * What is measured: the time that passes, or the processors' time of all threads, on which other programs have less influence. Default
   * wall.
   */
  readonly clock?: "wall" | "processor";
}

/** Returns the processors' time that all threads have taken, in seconds. */
export function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Seconds since some time. */
const CLOCKS = { wall: () => performance.now() / 1000, processor: processorSeconds } as const;

/**
 * Measures a forward and a backward pass of a network on noise: the fastest of a few, in seconds. Draws random numbers; seed
 * afterwards.
 */
export function timeStep(config: SegmenterConfig, options: TimeStepOptions): number {
  const { batch, crop, device, precision, repeats = 2 } = options;
  const now = CLOCKS[options.clock ?? "wall"];
  using network = segmenter(config);
  network.to({ device }).train();
  const images = ops.randn([batch, 3, ...crop], { device });
  const forward = () =>
    precision === "float32"
      ? network.call(images)
      : amp.autocast(device, { dtype: precision }, () => network.call(images));
  const step = (): number => {
    const start = now();
    tidy(() => sumOf(forward()).backward());
    synchronize(device);
    network.zeroGrad();
    return now() - start;
  };
  try {
    step(); // compiles kernels, chooses algorithms
    return Math.min(...Array.from({ length: repeats }, step));
  } finally {
    images.dispose();
  }
}

function sumOf({ logits, auxiliary, logScale }: SegmenterOutput) {
  const parts = [logits, auxiliary, logScale].flatMap((part) => (part ? [part.to("float32").sum()] : []));
  return parts.reduce((sum, part) => sum.add(part));
}
