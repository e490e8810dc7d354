import { type Machine, PAPER_NETWORK, SMALL } from "./fit-training.ts";

/** Of two processor cores without AVX-512, where nothing can be measured. */
const ASSUMED: Machine = { device: "cpu", rate: 12e9, precision: "float32", isMeasured: false };

const BATCH = 2;
const CLASSES = 19;
/** Below this bfloat16 is emulated, or gains less than it rounds. */
const WORTHWHILE = 1.3;

/** A processor is measured by a small step, a GPU by one that keeps it busy. */
const PROBES = {
  cpu: { candidate: SMALL, crop: [128, 160], formats: ["contiguous", "channels_last"] },
  cuda: { candidate: PAPER_NETWORK, crop: [512, 1024], formats: ["channels_last"] },
} as const;

/**
 * Measures by a few training steps how fast this machine trains, in seconds; a GPU where libtorch has one. Without a libtorch that loads,
 * two processor cores are assumed.
 */
export async function measureMachine(): Promise<Machine> {
  const torch = await loadTorch();
  if (torch === null) return ASSUMED;
  const { timeStep } = await import("../networks/time-step.ts");
  const device = torch.isCudaAvailable() ? "cuda" : "cpu";
  const reduced = () => (torch.convolutionSpeedup("bfloat16") > WORTHWHILE ? "bfloat16" : "float32");
  const precision = device === "cuda" ? "float16" : reduced();
  const { candidate, crop, formats } = PROBES[device];
  const seconds = formats.map((memoryFormat) =>
    timeStep(
      { ...candidate.model, classes: CLASSES, memoryFormat },
      { batch: BATCH, crop, device, precision },
    ),
  );
  const multiplyAdds = BATCH * crop[0] * crop[1] * candidate.multiplyAddsPerPixel;
  return { device, precision, rate: multiplyAdds / Math.min(...seconds), isMeasured: true };
}

/** The engine, or `null` where libtorch does not load: `armseg doctor` says why. What fails in a measurement is an error. */
async function loadTorch() {
  try {
    const torch = await import("@armseg/torch");
    torch.libtorchVersion(); // an import alone loads nothing native
    return torch;
  } catch {
    return null;
  }
}
