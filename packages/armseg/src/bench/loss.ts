import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { KERNELS } from "@armseg/kernels";
import {
  getThreads,
  keepFreedMemory,
  manualSeed,
  ops,
  setThreads,
  type Tensor,
  tidy,
  useCudnnBenchmark,
} from "@armseg/torch";
import { type BenchDevice, findPython, medianMs, type Place, placeOf, placeText } from "@armseg/torch/bench";
import { builtLibrary } from "@armseg/torch/setup";
import { unsupportedReason } from "../losses/fused.ts";
import { SegmentationLoss } from "../losses/index.ts";
import { ArmCurve } from "../reweighting/index.ts";
import { figureTable } from "./figure-table.ts";
import { peakBytes } from "./peak-memory.ts";

export interface LossBenchOptions {
  /** Of both sides. Default cpu. */
  readonly device?: BenchDevice;
  /** Processors for both sides. Default 2. */
  readonly threads?: number;
  /** Runs of the fused loss that count; a third of them for the composed one. Default 15, on a GPU 50. */
  readonly runs?: number;
  /** `[N, C, h, w, H, W]` of logits and labels. Default 2×19×128×256 to 512×1024, on a GPU 16 of them. */
  readonly size?: LossBenchSize;
}

export type LossBenchSize = readonly [n: number, c: number, h: number, w: number, H: number, W: number];

/** One contestant: median time of forward and backward, and memory beyond inputs and gradients. */
export interface LossBenchFigure {
  readonly ms: number;
  /** `null` where the system does not tell. */
  readonly bytes: number | null;
}

/** Others' figures over ours, or `null` where there is none of either. */
export interface LossBenchRatios {
  readonly composed: number;
  /** By torch.compile; on a GPU only. */
  readonly compiled: number | null;
  readonly plain: number;
  readonly memory: number | null;
  readonly compiledMemory: number | null;
}

export interface LossBenchResult {
  readonly size: LossBenchSize;
  readonly place: Place;
  /** `null` with the reason in {@link fusedMissing}. On a GPU its memory is that of the same kernel in Python. */
  readonly fused: LossBenchFigure | null;
  readonly fusedMissing: string | null;
  readonly composed: LossBenchFigure;
  /** In Python, same run; `null` with the reason in {@link peerMissing}. */
  readonly peer: {
    readonly torch: string;
    /** The same kernel, called from Python. */
    readonly fused: LossBenchFigure | null;
    readonly fusedMissing: string | null;
    /** The same mathematics of PyTorch's operators. */
    readonly composed: LossBenchFigure;
    /** The composed one by torch.compile; `null` with the reason in `compiledMissing`, both `null` on the CPU. */
    readonly compiled: LossBenchFigure | null;
    readonly compiledMissing: string | null;
    /** PyTorch's own cross entropy, without any reweighting. */
    readonly plain: LossBenchFigure;
  } | null;
  readonly peerMissing: string | null;
  /** Peer's over the fused loss's. */
  readonly ratios: LossBenchRatios | null;
}

const SIZES: Record<BenchDevice, LossBenchSize> = {
  cpu: [2, 19, 128, 256, 512, 1024],
  cuda: [16, 19, 128, 256, 512, 1024],
};
const RUNS: Record<BenchDevice, number> = { cpu: 15, cuda: 50 };
/** What the ratios are to reach; for the CPU see DESIGN section 5. */
const GOALS: Record<BenchDevice, Partial<Record<keyof LossBenchRatios, number>>> = {
  cpu: { composed: 80, plain: 15, memory: 30 },
  cuda: { composed: 8, compiled: 3, memory: 20, compiledMemory: 20 },
};
const REGION = 32;
const PEER_SECONDS = 8;

interface Inputs {
  readonly logits: Tensor;
  readonly labels: Tensor;
}

/** Makes regions of 32×32 pixels of one class, a tenth of them ignored: more mixed than real annotations. */
function makeInputs([n, c, h, w, height, width]: LossBenchSize, device: BenchDevice): Inputs {
  const logits = ops.randn([n, c, h, w], { device }).mul(2).requiresGrad_();
  const regions = [n, 1, Math.ceil(height / REGION), Math.ceil(width / REGION)];
  const classes = ops.randint(0, c, regions, { dtype: "float32" }).maskedFill(ops.rand(regions).lt(0.1), 255);
  const labels = ops.upsampleNearest2d(classes, [height, width], null).select(1, 0).to(device, "uint8");
  return { logits, labels };
}

/** Measures our loss. Its memory on a GPU is not known here. */
function measure(
  implementation: "fused" | "composed",
  size: LossBenchSize,
  device: BenchDevice,
  runs: number,
): LossBenchFigure {
  using curve = new ArmCurve().to({ device });
  const criterion = new SegmentationLoss({ curve, implementation });
  const contest = (inputs: Inputs) => () => tidy(() => criterion.call(inputs).loss.backward());
  return tidy(() => {
    contest(makeInputs([1, size[1], 16, 16, 64, 64], device))(); // loads the library and starts the threads
    const inputs = makeInputs(size, device);
    inputs.logits.grad = ops.zeros(inputs.logits.shape, { device });
    const run = contest(inputs);
    const bytes = device === "cpu" ? peakBytes(run) : null;
    return { bytes, ms: medianMs(run, { runs, warmUp: device === "cpu" ? 1 : 3, device }) };
  });
}

/** Returns why there is no fused loss on this device, or `null`. */
function fusedUnsupportedReason([, c]: LossBenchSize, device: BenchDevice): string | null {
  using curve = new ArmCurve();
  const { settings } = new SegmentationLoss({ curve });
  return tidy(() => unsupportedReason({ logits: ops.zeros([1, c, 16, 16], { device }) }, settings));
}

interface PeerFigure {
  readonly median_ms: number;
  readonly peak_bytes: number;
}

type Missing = { readonly missing: string };

interface PeerReport {
  readonly torch: string;
  readonly ours: PeerFigure | Missing;
  readonly composed: PeerFigure;
  readonly plain: PeerFigure;
  readonly compiled?: PeerFigure | Missing;
}

function figure({ median_ms, peak_bytes }: PeerFigure): LossBenchFigure {
  return { ms: median_ms, bytes: peak_bytes };
}

function figureIfAny(found: PeerFigure | Missing | undefined): LossBenchFigure | null {
  return found && !("missing" in found) ? figure(found) : null;
}

function reason(found: PeerFigure | Missing | undefined): string | null {
  return found && "missing" in found ? found.missing : null;
}

function measurePeer(
  size: LossBenchSize,
  device: BenchDevice,
  threads: number,
): Pick<LossBenchResult, "peer" | "peerMissing"> {
  const missing = (peerMissing: string) => ({ peer: null, peerMissing });
  const kernels = dirname(createRequire(import.meta.url).resolve("@armseg/kernels/package.json"));
  const script = join(kernels, "bench", "loss.py");
  const python = findPython(device);
  if (python === null) return missing(`there is no Python with PyTorch for ${device}`);
  if (!existsSync(script)) return missing(`${script} is not here; it is in the repository only`);
  const library = builtLibrary(KERNELS);
  const options = { device, threads, size: size.join(","), seconds: PEER_SECONDS, library };
  const args = [script, ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])];
  const env = { ...process.env, OMP_NUM_THREADS: String(threads), OPENBLAS_NUM_THREADS: String(threads) };
  const { status, stdout, stderr } = spawnSync(python, args, { encoding: "utf8", env });
  if (status !== 0) return missing(`${python} loss.py failed: ${stderr.trim().split("\n").at(-1)}`);
  const { torch, ours, composed, plain, compiled } = JSON.parse(stdout) as PeerReport;
  return {
    peer: {
      torch,
      fused: figureIfAny(ours),
      fusedMissing: reason(ours),
      composed: figure(composed),
      compiled: figureIfAny(compiled),
      compiledMissing: reason(compiled),
      plain: figure(plain),
    },
    peerMissing: null,
  };
}

/**
 * Times the reweighted loss (ARM, var, p = 2), forward and backward, beside the same composed of PyTorch's operators and beside
 * PyTorch's plain cross entropy, in the same run (DESIGN section 5). Takes about a minute.
 *
 * @throws {Error} If the device is not there.
 */
export function benchLoss(options: LossBenchOptions = {}): LossBenchResult {
  const { device = "cpu", threads = 2, runs = RUNS[device], size = SIZES[device] } = options;
  const before = getThreads();
  setThreads(threads);
  keepFreedMemory(); // as in a training
  useCudnnBenchmark(device === "cuda"); // as the peer
  try {
    const place = placeOf(device);
    manualSeed(0);
    const fusedMissing = fusedUnsupportedReason(size, device);
    const measured = fusedMissing === null ? measure("fused", size, device, runs) : null;
    const composed = measure("composed", size, device, Math.ceil(runs / 3));
    const found = measurePeer(size, device, threads);
    // Only PyTorch in Python tells what it allocated on a GPU.
    const fused =
      measured && device === "cuda" ? { ...measured, bytes: found.peer?.fused?.bytes ?? null } : measured;
    return { size, place, fused, fusedMissing, composed, ...found, ratios: ratiosOf(fused, found.peer) };
  } finally {
    setThreads(before);
    useCudnnBenchmark(false);
  }
}

function ratiosOf(fused: LossBenchFigure | null, peer: LossBenchResult["peer"]): LossBenchRatios | null {
  if (!peer || !fused) return null;
  const memory = (other: LossBenchFigure | null) =>
    fused.bytes && other?.bytes ? other.bytes / fused.bytes : null;
  return {
    composed: peer.composed.ms / fused.ms,
    compiled: peer.compiled && peer.compiled.ms / fused.ms,
    plain: peer.plain.ms / fused.ms,
    memory: memory(peer.composed),
    compiledMemory: memory(peer.compiled),
  };
}

/** Returns the result as lines of text, ratios first. */
export function benchLossText(result: LossBenchResult): string {
  const { size, place, fused, fusedMissing, composed, peer } = result;
  const [n, c, h, w, height, width] = size;
  return [
    ...headLines(result),
    `reweighted loss, forward + backward, ${n}×${c}×${h}×${w} logits to ${height}×${width} labels`,
    placeText(place),
    ...figureLines([
      ["armseg, fused", fused, fusedMissing],
      ["armseg, composed of operators", composed, null],
      ...(peer ? peerSides(peer) : []),
    ]),
  ].join("\n");
}

function headLines({ place, ratios, fusedMissing, peerMissing }: LossBenchResult): string[] {
  if (ratios) return ratioLines(ratios, GOALS[place.device]);
  return [`no comparison: ${fusedMissing ?? peerMissing}`];
}

/** What was measured, or the reason why not; both are `null` where it was not asked for. */
type Side = readonly [name: string, figure: LossBenchFigure | null, missing: string | null];

/** Returns the table of what was measured, then a line with the reason of each that was not. */
function figureLines(sides: readonly Side[]): string[] {
  return [
    ...figureTable(sides.flatMap(([name, figure]) => (figure ? [{ name, ...figure }] : []))),
    ...sides.flatMap(([name, figure, missing]) =>
      figure || missing === null ? [] : [`${name}: none, ${missing}`],
    ),
  ];
}

function peerSides(peer: NonNullable<LossBenchResult["peer"]>): Side[] {
  return [
    [`PyTorch ${peer.torch}, composed`, peer.composed, null],
    [`PyTorch ${peer.torch}, composed and compiled`, peer.compiled, peer.compiledMissing],
    [`PyTorch ${peer.torch}, plain cross entropy`, peer.plain, null],
    ["PyTorch with armseg's kernel", peer.fused, peer.fusedMissing],
  ];
}

const RATIO_TEXTS: readonly [ratio: keyof LossBenchRatios, before: string, after: string][] = [
  ["composed", "", "× faster than the same in PyTorch"],
  ["compiled", "", "× faster than the same by torch.compile"],
  ["plain", "", "× faster than PyTorch's plain cross entropy"],
  ["memory", "1/", " of PyTorch's memory"],
  ["compiledMemory", "1/", " of torch.compile's memory"],
];

function ratioLines(ratios: LossBenchRatios, goals: (typeof GOALS)[BenchDevice]): string[] {
  return RATIO_TEXTS.flatMap(([key, before, after]) => {
    const ratio = ratios[key];
    if (ratio === null) return [];
    const goal = goals[key] === undefined ? "" : ` (goal ${before}${goals[key]}${before ? "" : "×"})`;
    return [`${before}${ratio.toFixed(before ? 0 : 1)}${after}${goal}`];
  });
}
