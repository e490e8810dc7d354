import { fileURLToPath } from "node:url";
import { getThreads, manualSeed, ops, setThreads, tidy } from "@armseg/torch";
import { type BenchDevice, medianMs, type Place, placeOf, placeText, runPeer } from "@armseg/torch/bench";
import { ConfusionMatrix } from "../evaluation/confusion-matrix.ts";
import { figureTable } from "./figure-table.ts";
import { peakBytes } from "./peak-memory.ts";

export interface EvalBenchOptions {
  /** Of both sides. Default cpu. */
  readonly device?: BenchDevice;
  /** Default 2. */
  readonly threads?: number;
  /** Runs that count, on each side. Default 15. */
  readonly runs?: number;
  /** `[classes, height, width]` of the labels; logits have a quarter of the resolution. Default [19, 1024, 2048]. */
  readonly size?: EvalBenchSize;
}

export type EvalBenchSize = readonly [classes: number, height: number, width: number];

/** One side of the comparison. */
export interface EvalBenchFigure {
  /** Median time of one image. */
  readonly ms: number;
  /** Peak memory of one image beyond what was there before it; `null` where the system does not tell, as of ours on a GPU. */
  readonly bytes: number | null;
}

export interface EvalBenchResult {
  readonly size: EvalBenchSize;
  readonly place: Place;
  readonly ours: EvalBenchFigure;
  /** PyTorch's upsampling, arg-max and bincount in Python; `null` where there is no Python with PyTorch. */
  readonly peer: EvalBenchFigure | null;
  /** Peer's time over ours. */
  readonly ratio: number | null;
}

/**
 * Measures one image from logits of quarter resolution to its confusion matrix: ours beside PyTorch's upsample + argmax + bincount, in the same run (DESIGN
 * section 5). Ours has its labels on the CPU, as evaluation does, the peer on the device.
 *
 * @throws {Error} If the device is not there.
 */
export function benchEval(options: EvalBenchOptions = {}): EvalBenchResult {
  const { device = "cpu", threads = 2, runs = 15, size = [19, 1024, 2048] } = options;
  const before = getThreads();
  setThreads(threads);
  try {
    const place = placeOf(device);
    const ours = measureOurs(size, device, runs);
    const script = fileURLToPath(new URL("../../bench/eval_peer.py", import.meta.url));
    const job = { size, runs, threads, device };
    const peer = runPeer<EvalBenchFigure>(script, [JSON.stringify(job)], job);
    return { size, place, ours, peer, ratio: peer && peer.ms / ours.ms };
  } finally {
    setThreads(before);
  }
}

function measureOurs(size: EvalBenchSize, device: BenchDevice, runs: number): EvalBenchFigure {
  return tidy(() => {
    manualSeed(0);
    const small = problem([size[0], 64, 64], device);
    small(); // loads the library and starts the threads, which is no part of an image's memory
    const run = problem(size, device);
    // The first run: later ones use memory that the allocator kept.
    const bytes = device === "cpu" ? peakBytes(run) : null;
    return { bytes, ms: medianMs(run, { runs, device }) };
  });
}

/** Makes random logits and labels: regions of 32×32 pixels of one class, a tenth of them ignored. */
function problem([classes, height, width]: EvalBenchResult["size"], device: BenchDevice): () => void {
  const logits = ops.randn([1, classes, height >> 2, width >> 2], { device }).mul(2);
  const regions = ops.randint(0, classes, [1, 1, height >> 5, width >> 5], { dtype: "float32" });
  const ignored = ops.rand(regions.shape).lt(0.1);
  const labels = ops
    .upsampleNearest2d(regions.maskedFill(ignored, 255), [height, width], null)
    .select(1, 0)
    .to("cpu", "uint8");
  const confusion = new ConfusionMatrix(classes);
  return () => confusion.add(logits, labels);
}

/** Formats the result as lines of text, ratio first. */
export function benchEvalText({ size, place, ours, peer, ratio }: EvalBenchResult): string {
  const [classes, height, width] = size;
  const lines = [
    ratio === null
      ? `no Python with PyTorch for ${place.device} to compare with`
      : `${ratio.toFixed(1)}× faster than PyTorch`,
    `${classes}×${height / 4}×${width / 4} logits to ${height}×${width} labels`,
    placeText(place),
    ...figureTable([
      { name: "armseg, logits to confusion matrix", ...ours },
      ...(peer ? [{ name: "PyTorch, upsample + argmax + bincount", ...peer }] : []),
    ]),
  ];
  return `${lines.join("\n")}\n`;
}
