import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { getThreads, manualSeed, ops, setThreads, type Tensor, tidy } from "@armseg/torch";
import { findPython, medianMs } from "@armseg/torch/bench";
import { peakBytes } from "../evaluation/peak-memory.ts";
import { SegmentationLoss } from "../losses/index.ts";
import { ArmCurve } from "../reweighting/index.ts";

export interface LossBenchOptions {
  /** Processors for both sides. Default 2. */
  readonly threads?: number;
  /** Runs of the fused loss that count; a third of them for the composed one. Default 15. */
  readonly runs?: number;
  /** `[N, C, h, w, H, W]` of logits and labels. Default 2×19×128×256 to 512×1024. */
  readonly size?: LossBenchSize;
}

export type LossBenchSize = readonly [n: number, c: number, h: number, w: number, H: number, W: number];

/** One contestant: median time of forward and backward, and memory beyond inputs and gradients. */
export interface LossBenchFigure {
  readonly ms: number;
  /** `null` where the system does not tell. */
  readonly bytes: number | null;
}

export interface LossBenchResult {
  readonly size: LossBenchSize;
  readonly threads: number;
  readonly fused: LossBenchFigure;
  readonly composed: LossBenchFigure;
  /** In Python, same run; `null` with the reason in {@link peerMissing}. */
  readonly peer: {
    readonly torch: string;
    /** The same kernel, called from Python. */
    readonly fused: LossBenchFigure;
    /** The same mathematics of PyTorch's operators. */
    readonly composed: LossBenchFigure;
    /** PyTorch's own cross entropy, without any reweighting. */
    readonly plain: LossBenchFigure;
  } | null;
  readonly peerMissing: string | null;
  /** Peer's over ours; goals 80, 15 and 30 (DESIGN section 5). */
  readonly ratios: {
    readonly composed: number;
    readonly plain: number;
    readonly memory: number | null;
  } | null;
}

const SIZE: LossBenchSize = [2, 19, 128, 256, 512, 1024];
const REGION = 32;
const PEER_SECONDS = 8;

/** Regions of 32×32 pixels of one class, a tenth of them ignored: more mixed than real annotations. */
function makeInputs([n, c, h, w, height, width]: LossBenchSize): { logits: Tensor; labels: Tensor } {
  const logits = ops.randn([n, c, h, w]).mul(2).requiresGrad_();
  const regions = [n, 1, Math.ceil(height / REGION), Math.ceil(width / REGION)];
  const classes = ops.randint(0, c, regions, { dtype: "float32" }).maskedFill(ops.rand(regions).lt(0.1), 255);
  const labels = ops.upsampleNearest2d(classes, [height, width], null).select(1, 0).to("cpu", "uint8");
  return { logits, labels };
}

function measure(implementation: "fused" | "composed", size: LossBenchSize, runs: number): LossBenchFigure {
  using curve = new ArmCurve();
  const criterion = new SegmentationLoss({ curve, implementation });
  const contest = (inputs: { logits: Tensor; labels: Tensor }) => () =>
    tidy(() => criterion.call(inputs).loss.backward());
  return tidy(() => {
    contest(makeInputs([1, size[1], 16, 16, 64, 64]))(); // loads the library and starts the threads
    const inputs = makeInputs(size);
    inputs.logits.grad = ops.zeros(inputs.logits.shape);
    const run = contest(inputs);
    return { bytes: peakBytes(run), ms: medianMs(run, { runs, warmUp: 1 }) };
  });
}

interface PeerFigure {
  readonly median_ms: number;
  readonly peak_bytes: number;
}

type PeerReport = Record<"ours" | "composed" | "plain", PeerFigure> & { readonly torch: string };

function measurePeer(size: LossBenchSize, threads: number): Pick<LossBenchResult, "peer" | "peerMissing"> {
  const missing = (peerMissing: string) => ({ peer: null, peerMissing });
  const kernels = dirname(createRequire(import.meta.url).resolve("@armseg/kernels/package.json"));
  const script = join(kernels, "bench", "loss.py");
  const python = findPython();
  if (python === null) return missing("there is no Python with PyTorch");
  if (!existsSync(script)) return missing(`${script} is not here; it is in the repository only`);
  const args = [
    script,
    "--threads",
    String(threads),
    "--size",
    size.join(","),
    "--seconds",
    String(PEER_SECONDS),
  ];
  const env = { ...process.env, OMP_NUM_THREADS: String(threads), OPENBLAS_NUM_THREADS: String(threads) };
  const { status, stdout, stderr } = spawnSync(python, args, { encoding: "utf8", env });
  if (status !== 0) return missing(`${python} loss.py failed: ${stderr.trim().split("\n").at(-1)}`);
  const report = JSON.parse(stdout) as PeerReport;
  const figure = ({ median_ms, peak_bytes }: PeerFigure) => ({ ms: median_ms, bytes: peak_bytes });
  const { ours, composed, plain, torch } = report;
  return {
    peer: { torch, fused: figure(ours), composed: figure(composed), plain: figure(plain) },
    peerMissing: null,
  };
}

/**
 * The reweighted loss (ARM, var, p = 2), forward and backward, beside the same composed of PyTorch's operators and beside
 * PyTorch's plain cross entropy, in the same run (DESIGN section 5). Takes about a minute.
 */
export function benchLoss(options: LossBenchOptions = {}): LossBenchResult {
  const { threads = 2, runs = 15, size = SIZE } = options;
  const before = getThreads();
  setThreads(threads);
  try {
    manualSeed(0);
    const fused = measure("fused", size, runs);
    const composed = measure("composed", size, Math.ceil(runs / 3));
    const found = measurePeer(size, threads);
    return { size, threads, fused, composed, ...found, ratios: ratiosOf(fused, found.peer) };
  } finally {
    setThreads(before);
  }
}

function ratiosOf(fused: LossBenchFigure, peer: LossBenchResult["peer"]): LossBenchResult["ratios"] {
  if (!peer) return null;
  const memory = fused.bytes && peer.composed.bytes ? peer.composed.bytes / fused.bytes : null;
  return { composed: peer.composed.ms / fused.ms, plain: peer.plain.ms / fused.ms, memory };
}

/** The result as lines of text, ratios first. */
export function benchLossText(result: LossBenchResult): string {
  const { size, threads, fused, composed, peer, peerMissing, ratios } = result;
  const [n, c, h, w, height, width] = size;
  const row = (name: string, { ms, bytes }: LossBenchFigure) =>
    `${name.padEnd(42)} ${ms.toFixed(1).padStart(8)} ms ${mebibytes(bytes).padStart(11)}`.trimEnd();
  return [
    ...(ratios ? ratioLines(ratios) : [`no comparison: ${peerMissing}`]),
    `reweighted loss, forward + backward, ${n}×${c}×${h}×${w} logits to ${height}×${width} labels, ${threads} threads`,
    row("armseg, fused", fused),
    row("armseg, composed of operators", composed),
    ...(peer
      ? [
          row(`PyTorch ${peer.torch}, composed`, peer.composed),
          row(`PyTorch ${peer.torch}, plain cross entropy`, peer.plain),
          row("PyTorch with armseg's kernel", peer.fused),
        ]
      : []),
  ].join("\n");
}

function ratioLines({ composed, plain, memory }: NonNullable<LossBenchResult["ratios"]>): string[] {
  return [
    `${composed.toFixed(1)}× faster than the same in PyTorch (goal 80×)`,
    `${plain.toFixed(1)}× faster than PyTorch's plain cross entropy (goal 15×)`,
    ...(memory === null ? [] : [`1/${memory.toFixed(0)} of PyTorch's memory (goal 1/30)`]),
  ];
}

function mebibytes(bytes: number | null): string {
  return bytes === null ? "" : `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
