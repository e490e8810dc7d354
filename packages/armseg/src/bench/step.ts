import { fileURLToPath } from "node:url";
import { getThreads, keepFreedMemory, manualSeed, setThreads } from "@armseg/torch";
import { median, runPeer } from "@armseg/torch/bench";
import type { Batch } from "../pipeline/index.ts";
import { CounterRandom } from "../pipeline/index.ts";
import { buildTraining, type Training } from "../training/build.ts";
import { checkConfig } from "../training/config/read-config.ts";
import type { Config } from "../training/config/schema.ts";
import { trainIteration } from "../training/iteration.ts";

export type StepBackbone = "resnet18" | "resnet50";

export interface StepBenchOptions {
  /** Default resnet18. */
  readonly backbone?: StepBackbone;
  /** `[N, H, W]` of a batch. Default 2×256×512. */
  readonly size?: StepBenchSize;
  /** Processors for both sides. Default 2. */
  readonly threads?: number;
  /** Steps that count, of each contestant. Default 5. */
  readonly runs?: number;
}

export type StepBenchSize = readonly [n: number, height: number, width: number];

interface PeerFigure {
  readonly ms: number;
  readonly bytes: number;
  readonly parameters: number;
}

interface PeerReport {
  readonly torch: string;
  readonly contiguous: PeerFigure;
  readonly channels_last: PeerFigure;
}

export interface StepBenchResult {
  readonly backbone: StepBackbone;
  readonly size: StepBenchSize;
  readonly threads: number;
  readonly parameters: number;
  /** Plain cross entropy, ours, and with ARM; median of interleaved steps. */
  readonly plainMs: number;
  readonly armMs: number;
  /** Median over the pairs of neighbouring steps of (ARM − plain) / plain; goal: at most 0.01. */
  readonly armShare: number;
  /** Peak resident memory of this process. */
  readonly peakBytes: number;
  /** PyTorch's eager step in Python; `null` where there is no Python with PyTorch. */
  readonly peer: PeerReport | null;
  /** Ours, plain, over the better of PyTorch's two memory formats; goal: at most 0.85. */
  readonly ratio: number | null;
}

const CLASSES = 19;
const REGION = 32;

/** A batch of noise with labels in regions of 32×32 pixels. */
function makeBatch([n, height, width]: StepBenchSize): Batch {
  const random = new CounterRandom({ seed: 0, iteration: 0, index: 0, stream: 0 });
  const columns = Math.ceil(width / REGION);
  const regions = Uint8Array.from({ length: n * Math.ceil(height / REGION) * columns }, () =>
    Math.floor(random.uniform(0, CLASSES)),
  );
  const regionOf = (i: number) => {
    const [row, column] = [Math.floor(i / width), i % width];
    return Math.floor(row / REGION) * columns + Math.floor(column / REGION);
  };
  return {
    iteration: 0,
    images: Float32Array.from({ length: n * height * width * 3 }, () => random.uniform(-2, 2)),
    labels: Uint8Array.from({ length: n * height * width }, (_, i) => regions[regionOf(i) % regions.length]!),
    names: [],
    validPixels: n * height * width,
    format: {
      batchSize: n,
      size: [height, width],
      imageType: "float32",
      layout: "channelsLast",
      weights: false,
    },
    [Symbol.dispose]() {},
  };
}

function configOf(backbone: StepBackbone, curve: "none" | "arm", batchSize: number): Config {
  return checkConfig(
    { data: { format: "scenes" }, model: { backbone }, reweighting: { curve }, training: { batchSize } },
    "the benchmark",
  );
}

interface Contestant {
  readonly training: Training;
  readonly step: () => number;
}

function prepare(backbone: StepBackbone, curve: "none" | "arm", batch: Batch): Contestant {
  manualSeed(0);
  const config = configOf(backbone, curve, batch.format.batchSize);
  const training = buildTraining(config, CLASSES, null);
  const step = () => {
    const start = performance.now();
    trainIteration(training, [batch], "joint", config);
    return performance.now() - start;
  };
  step(); // builds the optimiser's state, loads the kernels
  return { training, step };
}

function measureOurs(backbone: StepBackbone, batch: Batch, runs: number) {
  const plain = prepare(backbone, "none", batch);
  const peakBytes = process.resourceUsage().maxRSS * 1024; // before there is a second network
  const arm = prepare(backbone, "arm", batch);
  try {
    // In turns, so that what else the machine does is the same for both.
    const pairs = Array.from({ length: runs }, () => [plain.step(), arm.step()] as const);
    const parameters = [...plain.training.network.parameters()].reduce((sum, { numel }) => sum + numel, 0);
    return {
      parameters,
      plainMs: median(pairs.map(([ms]) => ms)),
      armMs: median(pairs.map(([, ms]) => ms)),
      armShare: median(pairs.map(([without, withArm]) => (withArm - without) / without)),
      peakBytes,
    };
  } finally {
    plain.training.dispose();
    arm.training.dispose();
  }
}

/**
 * A whole update of DeepLabv3+ (auxiliary head, output stride 8, SGD) beside PyTorch's eager one, same network, and what ARM adds to it (DESIGN
 * section 5). Takes some minutes.
 *
 * @throws {Error} If the peer's network has not as many parameters as ours.
 */
export function benchStep(options: StepBenchOptions = {}): StepBenchResult {
  const { backbone = "resnet18", size = [2, 256, 512], threads = 2, runs = 5 } = options;
  const before = getThreads();
  setThreads(threads);
  keepFreedMemory();
  try {
    const ours = measureOurs(backbone, makeBatch(size), runs);
    const script = fileURLToPath(new URL("../../bench/step_peer.py", import.meta.url));
    const job = JSON.stringify({ backbone, size, classes: CLASSES, runs, threads });
    const peer = runPeer<PeerReport>(script, [job], threads);
    checkPeer(peer, ours.parameters);
    const ratio = peer && ours.plainMs / Math.min(peer.contiguous.ms, peer.channels_last.ms);
    return { backbone, size, threads, ...ours, peer, ratio };
  } finally {
    setThreads(before);
  }
}

function checkPeer(peer: PeerReport | null, parameters: number): void {
  if (!peer || peer.contiguous.parameters === parameters) return;
  throw new Error(
    `benchStep(): the peer's network has ${peer.contiguous.parameters} parameters, ours ${parameters}`,
  );
}

/** The result as lines of text, ratio first. */
export function benchStepText(result: StepBenchResult): string {
  const { backbone, size, threads, parameters, plainMs, armMs, armShare, peakBytes, peer, ratio } = result;
  const row = (name: string, ms: number, bytes?: number) =>
    `${name.padEnd(34)} ${ms.toFixed(0).padStart(8)} ms${bytes === undefined ? "" : `  ${(bytes / 2 ** 20).toFixed(0).padStart(6)} MiB`}`;
  return [
    ratio === null
      ? "no Python with PyTorch to compare with"
      : `${ratio.toFixed(2)} of PyTorch's time (goal 0.85)`,
    `${(100 * armShare).toFixed(1)} % of a step is ARM's (goal 1 %)`,
    `DeepLabv3+ on ${backbone}, ${parameters.toLocaleString("en-GB")} parameters, batch ${size.join("×")}, ${threads} threads`,
    row("armseg, plain cross entropy", plainMs, peakBytes),
    row("armseg, ARM", armMs),
    ...(peer
      ? [
          row(`PyTorch ${peer.torch}, contiguous`, peer.contiguous.ms, peer.contiguous.bytes),
          row(`PyTorch ${peer.torch}, channels_last`, peer.channels_last.ms, peer.channels_last.bytes),
        ]
      : []),
  ].join("\n");
}
