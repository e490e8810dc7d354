import { fileURLToPath } from "node:url";
import { getThreads, keepFreedMemory, manualSeed, setThreads, tidy, useCudnnBenchmark } from "@armseg/torch";
import {
  type BenchDevice,
  median,
  medianMs,
  type Place,
  placeOf,
  placeText,
  runPeer,
  timeMs,
} from "@armseg/torch/bench";
import { buildLosses, buildTraining, type TrainingObjects } from "../config/build.ts";
import { withMeasuredModel } from "../config/measured-model.ts";
import { checkConfig } from "../config/read-config.ts";
import type { Config } from "../config/schema.ts";
import { argumentError } from "../core/argument-error.ts";
import type { Batch } from "../pipeline/index.ts";
import { CounterRandom } from "../pipeline/index.ts";
import { toTensors } from "../training/batch-tensors.ts";
import { trainStep } from "../training/step.ts";
import { figureTable } from "./figure-table.ts";

export type StepBackbone = "resnet18" | "resnet50" | "resnet101";

/** What convolutions are computed in, on both sides: autocast where it is not float32. */
export type StepPrecision = Config["training"]["precision"];

export interface StepBenchOptions {
  /** Default resnet18. */
  readonly backbone?: StepBackbone;
  /** Of both sides. Default cpu. */
  readonly device?: BenchDevice;
  /** Default float32. */
  readonly precision?: StepPrecision;
  /** `[N, H, W]` of a batch. Default 2×256×512, on a GPU 8×512×1024. */
  readonly size?: StepBenchSize;
  /** N, in place of the size's. */
  readonly batch?: number;
  /** Processors for both sides. Default 2. */
  readonly threads?: number;
  /** Steps that count, of each contestant. Default 5, on a GPU 20. */
  readonly runs?: number;
  /** How long PyTorch's step by torch.compile may take, compilation included; 0 leaves it out. Default 0, on a GPU 300. */
  readonly compileSeconds?: number;
}

export type StepBenchSize = readonly [n: number, height: number, width: number];

interface PeerFigure {
  readonly ms: number;
  /** `null` where the system does not tell. */
  readonly bytes: number | null;
  readonly parameters: number;
}

interface PeerReport {
  readonly torch: string;
  readonly contiguous: PeerFigure;
  readonly channels_last: PeerFigure;
}

/** PyTorch's step by torch.compile, channels_last. */
interface CompiledPeer {
  /** `null` with the reason in `compiledMissing`, both `null` where it was not asked for. */
  readonly compiled: PeerFigure | null;
  readonly compiledMissing: string | null;
}

export interface StepBenchResult extends CompiledPeer {
  readonly backbone: StepBackbone;
  readonly size: StepBenchSize;
  readonly precision: StepPrecision;
  readonly place: Place;
  readonly parameters: number;
  /** Ours with ARM's weights left out, which is plain cross entropy, and with them: one network, median of steps that take turns. */
  readonly plainMs: number;
  readonly armMs: number;
  /** Median over the pairs of neighbouring steps of (ARM − plain) / plain; goal: at most 0.01. */
  readonly armShare: number;
  /** Of a plain step or one with ARM, what it takes to copy the batch to a GPU, where the peer's already is; `null` on the CPU. */
  readonly copyMs: number | null;
  /** Peak resident memory of this process; `null` on a GPU, where only PyTorch in Python tells. */
  readonly peakBytes: number | null;
  /** PyTorch's eager step in Python; `null` where there is no Python with PyTorch. */
  readonly peer: PeerReport | null;
  /** Ours, plain, over the better of PyTorch's two memory formats; goal: at most 0.65, on a GPU 1/1.15. */
  readonly ratio: number | null;
}

const SIZES: Record<BenchDevice, StepBenchSize> = { cpu: [2, 256, 512], cuda: [8, 512, 1024] };
const RUNS: Record<BenchDevice, number> = { cpu: 5, cuda: 20 };
/** The first builds the optimizer's state and loads the kernels; on a GPU cuDNN tries its algorithms, the loss scale settles. */
const WARM_UP: Record<BenchDevice, number> = { cpu: 1, cuda: 5 };
/** Compiling takes minutes; on processors few train so. */
const COMPILE_SECONDS: Record<BenchDevice, number> = { cpu: 0, cuda: 300 };
const CLASSES = 19;
const REGION = 32;

/** Makes a batch of noise with labels in regions of 32×32 pixels. */
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
    format: { batchSize: n, size: [height, width], weights: false },
    [Symbol.dispose]() {},
  };
}

/** What is measured, and with what. */
interface Job {
  readonly backbone: StepBackbone;
  readonly size: StepBenchSize;
  readonly precision: StepPrecision;
  readonly device: BenchDevice;
  readonly threads: number;
  readonly runs: number;
  readonly compileSeconds: number;
}

function configOf({ backbone, size, device, precision }: Job): Config {
  const training = { batchSize: size[0], device, precision };
  const config = checkConfig(
    {
      data: { format: "scenes" },
      model: { backbone },
      reweighting: { curve: "arm" },
      augmentation: { crop: [size[1], size[2]] },
      training,
    },
    "the benchmark",
  );
  return withMeasuredModel(config, (text) => void process.stderr.write(`${text}\n`));
}

/** The same training with ARM's weights left out: network and optimizer are the same, the curve has no gradient. */
function withoutWeights(training: TrainingObjects, config: Config): TrainingObjects {
  return { ...training, curve: null, losses: buildLosses(config, null, null) };
}

function copyMs(batch: Batch, { device, runs }: Job): number | null {
  if (device === "cpu") return null;
  const copy = () => tidy(() => void toTensors(batch, device));
  return medianMs(copy, { runs, device });
}

function measureOurs(job: Job) {
  const { size, device, runs } = job;
  const batch = makeBatch(size);
  manualSeed(0);
  const config = configOf(job);
  const training = buildTraining(config, { classes: CLASSES, classWeights: null });
  const stepOf = (contestant: TrainingObjects) => () =>
    timeMs(() => trainStep(contestant, [batch], "joint"), device);
  const [arm, plain] = [stepOf(training), stepOf(withoutWeights(training, config))];
  try {
    for (let i = 0; i < WARM_UP[device]; i++) {
      arm();
      plain();
    }
    const pairs = Array.from({ length: runs }, (_, i) => inTurns(plain, arm, i % 2 === 1));
    return {
      parameters: [...training.network.parameters()].reduce((sum, { numel }) => sum + numel, 0),
      plainMs: median(pairs.map(([ms]) => ms)),
      armMs: median(pairs.map(([, ms]) => ms)),
      armShare: median(pairs.map(([without, withArm]) => (withArm - without) / without)),
      copyMs: copyMs(batch, job),
      peakBytes: device === "cpu" ? process.resourceUsage().maxRSS * 1024 : null,
    };
  } finally {
    training.dispose();
  }
}

/** Runs both, neighbours in time and every second pair the other way round: what else the machine does is the same for both. */
function inTurns(plain: () => number, arm: () => number, isReversed: boolean): [plain: number, arm: number] {
  if (!isReversed) return [plain(), arm()];
  const ms = arm();
  return [plain(), ms];
}

/**
 * Measures a whole update of DeepLabv3+ (auxiliary head, output stride 8, SGD) beside PyTorch's eager one, same network, and what ARM adds to it (DESIGN
 * section 5). Takes some minutes.
 *
 * @throws {Error} If the device is not there, or cannot compute in the precision.
 * @throws {Error} If the peer's network has not as many parameters as ours.
 */
export function benchStep(options: StepBenchOptions = {}): StepBenchResult {
  const job = jobOf(options);
  const { backbone, size, precision, device, threads } = job;
  const before = getThreads();
  setThreads(threads);
  keepFreedMemory();
  useCudnnBenchmark(device === "cuda");
  try {
    const place = placeOf(device);
    // First, so that it has the whole of a GPU's memory.
    const peer = runStepPeer<PeerReport>(job, EAGER);
    const compiled = peer ? compiledPeer(job) : { compiled: null, compiledMissing: null };
    const ours = measureOurs(job);
    checkPeer(peer, ours.parameters);
    const ratio = peer && ours.plainMs / Math.min(peer.contiguous.ms, peer.channels_last.ms);
    return { backbone, size, precision, place, ...ours, peer, ...compiled, ratio };
  } finally {
    setThreads(before);
    useCudnnBenchmark(false);
  }
}

function jobOf(options: StepBenchOptions): Job {
  const { backbone = "resnet18", device = "cpu", precision = "float32", threads = 2 } = options;
  const [n, height, width] = options.size ?? SIZES[device];
  // PyTorch before 2.3 would compute in float32 instead, and only warn.
  if (device === "cpu" && precision === "float16") {
    throw argumentError("benchStep", "float32 or bfloat16 on the CPU", precision);
  }
  const size = [options.batch ?? n, height, width] as const;
  const { runs = RUNS[device], compileSeconds = COMPILE_SECONDS[device] } = options;
  return { backbone, size, precision, device, threads, runs, compileSeconds };
}

const EAGER = ["contiguous", "channels_last"];

/** @param contestants - Of those that the script knows. */
function runStepPeer<T>(job: Job, contestants: readonly string[], timeoutSeconds?: number): T | null {
  const script = fileURLToPath(new URL("../../bench/step_peer.py", import.meta.url));
  const text = JSON.stringify({ ...job, contestants, classes: CLASSES, warmUp: WARM_UP[job.device] });
  return runPeer<T>(script, [text], { ...job, ...(timeoutSeconds !== undefined && { timeoutSeconds }) });
}

/** Not every PyTorch compiles, and not every network is compiled in time: then the reason. */
function compiledPeer(job: Job): CompiledPeer {
  if (job.compileSeconds === 0) return { compiled: null, compiledMissing: null };
  try {
    const report = runStepPeer<{ compiled: PeerFigure }>(job, ["compiled"], job.compileSeconds);
    return { compiled: report?.compiled ?? null, compiledMissing: null };
  } catch (error) {
    return { compiled: null, compiledMissing: error instanceof Error ? error.message : String(error) };
  }
}

function checkPeer(peer: PeerReport | null, parameters: number): void {
  if (!peer || peer.contiguous.parameters === parameters) return;
  throw new Error(
    `benchStep(): the peer's network has ${peer.contiguous.parameters} parameters, ours ${parameters}`,
  );
}

/** Formats the result as lines of text, ratio first. */
export function benchStepText(result: StepBenchResult): string {
  const { backbone, size, precision, place, parameters, plainMs, armMs, armShare, copyMs, peakBytes } =
    result;
  const { peer, compiled, compiledMissing } = result;
  const digits = place.device === "cpu" ? 0 : 1;
  return [
    ratioLine(result),
    `${(100 * armShare).toFixed(1)} % of a step is ARM's (goal 1 %)`,
    `DeepLabv3+ on ${backbone}, ${parameters.toLocaleString("en-GB")} parameters, batch ${size.join("×")}, ${precision}`,
    placeText(place),
    ...figureTable(
      [
        { name: "armseg, plain cross entropy", ms: plainMs, bytes: peakBytes },
        { name: "armseg, ARM", ms: armMs },
        ...(copyMs === null ? [] : [{ name: "  of each, copying the batch", ms: copyMs }]),
        ...(peer
          ? [
              { name: `PyTorch ${peer.torch}, contiguous`, ...peer.contiguous },
              { name: `PyTorch ${peer.torch}, channels_last`, ...peer.channels_last },
              ...(compiled ? [{ name: `PyTorch ${peer.torch}, compiled`, ...compiled }] : []),
            ]
          : []),
      ],
      digits,
    ),
    ...(compiledMissing === null ? [] : [`PyTorch, compiled: none, ${compiledMissing}`]),
  ].join("\n");
}

function ratioLine({ ratio, place }: StepBenchResult): string {
  if (ratio === null) return `no Python with PyTorch for ${place.device} to compare with`;
  return place.device === "cpu"
    ? `${ratio.toFixed(2)} of PyTorch's time (goal 0.65)`
    : `${(1 / ratio).toFixed(2)}× PyTorch's throughput (goal 1.15×)`;
}
