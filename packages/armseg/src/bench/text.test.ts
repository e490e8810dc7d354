import type { Place } from "@armseg/torch/bench";
import { describe, expect, test } from "vitest";
import { benchLossText, type LossBenchResult } from "./loss.ts";
import { benchOverheadText } from "./overhead.ts";
import { benchStepText, type StepBenchResult } from "./step.ts";
import { benchTraining, benchTrainingText, type TrainingBenchScore, whoReaches } from "./training.ts";

const MIB = 2 ** 20;
const CPU: Place = { device: "cpu", name: "AMD EPYC", threads: 2, libtorch: "1.13.0" };
const GPU: Place = { device: "cuda", name: "NVIDIA H200", threads: null, libtorch: "2.11.0" };

describe("bench loss", () => {
  const figure = (ms: number, bytes: number | null) => ({ ms, bytes });
  const result: LossBenchResult = {
    size: [2, 19, 128, 256, 512, 1024],
    place: CPU,
    fused: figure(15, 6 * MIB),
    fusedMissing: null,
    composed: figure(1000, 900 * MIB),
    peer: {
      torch: "1.13.0",
      fused: figure(14, 7 * MIB),
      fusedMissing: null,
      composed: figure(1500, 540 * MIB),
      compiled: null,
      compiledMissing: null,
      plain: figure(300, 230 * MIB),
    },
    peerMissing: null,
    ratios: { composed: 100, compiled: null, plain: 20, memory: 90, compiledMemory: null },
  };
  const onGpu: LossBenchResult = {
    ...result,
    place: GPU,
    composed: figure(20, null),
    peer: { ...result.peer!, torch: "2.11.0", compiled: figure(6, 150 * MIB) },
    ratios: { composed: 10, compiled: 4, plain: 2, memory: 90, compiledMemory: 25 },
  };

  test("ratios first, then ours and the peer's, and where", () => {
    const lines = benchLossText(result).split("\n");
    expect(lines.slice(0, 5)).toEqual([
      "100.0× faster than the same in PyTorch (goal 80×)",
      "20.0× faster than PyTorch's plain cross entropy (goal 15×)",
      "1/90 of PyTorch's memory (goal 1/30)",
      "reweighted loss, forward + backward, 2×19×128×256 logits to 512×1024 labels",
      "AMD EPYC, 2 threads, libtorch 1.13.0",
    ]);
    expect(lines[5]).toMatch(/^armseg, fused +15\.0 ms +6\.0 MiB$/);
    expect(lines.join("\n")).not.toContain("compiled");
  });

  test("a GPU has goals of its own, and torch.compile as an opponent", () => {
    const text = benchLossText(onGpu);
    expect(text.split("\n").slice(0, 5)).toEqual([
      "10.0× faster than the same in PyTorch (goal 8×)",
      "4.0× faster than the same by torch.compile (goal 3×)",
      "2.0× faster than PyTorch's plain cross entropy",
      "1/90 of PyTorch's memory (goal 1/20)",
      "1/25 of torch.compile's memory (goal 1/20)",
    ]);
    expect(text).toContain("\nNVIDIA H200, libtorch 2.11.0\n");
    expect(text).toMatch(/\nPyTorch 2\.11\.0, composed and compiled +6\.0 ms +150\.0 MiB\n/);
  });

  test("what is not to be had says why", () => {
    const text = benchLossText({
      ...onGpu,
      fused: null,
      fusedMissing: "logits on cuda:0",
      peer: {
        ...onGpu.peer!,
        fused: null,
        fusedMissing: "no kernel",
        compiled: null,
        compiledMissing: "no Triton",
      },
      ratios: null,
    });
    expect(text).toMatch(/^no comparison: logits on cuda:0\n/);
    expect(text).toMatch(/\narmseg, composed of operators +20\.0 ms\n/);
    expect(text).toContain("\narmseg, fused: none, logits on cuda:0\n");
    expect(text).toContain("\nPyTorch 2.11.0, composed and compiled: none, no Triton\n");
    expect(text).toMatch(/\nPyTorch with armseg's kernel: none, no kernel$/);
  });

  test("without a peer it says why", () => {
    const peerMissing = "there is no Python with PyTorch for cpu";
    const text = benchLossText({ ...result, peer: null, peerMissing, ratios: null });
    expect(text).toMatch(/^no comparison: there is no Python with PyTorch for cpu\n/);
  });
});

describe("bench step", () => {
  const figure = (ms: number) => ({ ms, bytes: 900 * MIB, parameters: 25_496_822 });
  const result: StepBenchResult = {
    backbone: "resnet18",
    size: [2, 256, 512],
    precision: "float32",
    place: CPU,
    parameters: 25_496_822,
    plainMs: 800,
    armMs: 804,
    armShare: 0.005,
    copyMs: null,
    peakBytes: 700 * MIB,
    peer: { torch: "1.13.0", contiguous: figure(1000), channels_last: figure(1200) },
    compiled: null,
    compiledMissing: null,
    ratio: 0.8,
  };

  test("the better of the peer's formats is what counts", () => {
    const lines = benchStepText(result).split("\n");
    expect(lines.slice(0, 4)).toEqual([
      "0.80 of PyTorch's time (goal 0.65)",
      "0.5 % of a step is ARM's (goal 1 %)",
      "DeepLabv3+ on resnet18, 25,496,822 parameters, batch 2×256×512, float32",
      "AMD EPYC, 2 threads, libtorch 1.13.0",
    ]);
    expect(lines[4]).toMatch(/^armseg, plain cross entropy +800 ms +700 MiB$/);
  });

  test("a GPU's goal is a throughput, and the copy of the batch is told", () => {
    const text = benchStepText({ ...result, place: GPU, precision: "bfloat16", copyMs: 6, peakBytes: null });
    expect(text).toMatch(/^1\.25× PyTorch's throughput \(goal 1\.15×\)\n/);
    expect(text).toContain("batch 2×256×512, bfloat16\nNVIDIA H200, libtorch 2.11.0\n");
    expect(text).toMatch(/\narmseg, plain cross entropy +800\.0 ms\n/);
    expect(text).toMatch(/\n {2}of each, copying the batch +6\.0 ms\n/);
  });

  test("torch.compile is an opponent, or the reason why not", () => {
    expect(benchStepText({ ...result, compiled: figure(900) })).toMatch(
      /\nPyTorch 1\.13\.0, compiled +900 ms +900 MiB$/,
    );
    expect(benchStepText({ ...result, compiledMissing: "it took longer than 300 s" })).toMatch(
      /\nPyTorch, compiled: none, it took longer than 300 s$/,
    );
  });

  test("without a peer it says for which device", () => {
    expect(benchStepText({ ...result, place: GPU, peer: null, ratio: null })).toMatch(
      /^no Python with PyTorch for cuda to compare with\n/,
    );
  });
});

test("bench overhead: ratio first, then where", () => {
  const text = benchOverheadText({
    size: [8, 512, 1024],
    place: GPU,
    bareMs: 100,
    wholeMs: 102,
    overhead: 0.02,
  });
  expect(text).toMatch(
    /^2\.0 % more than the bare step \(goal 3 %\)\n.*, batch 8×512×1024, float32\nNVIDIA H200/,
  );
});

describe("bench training", () => {
  const score = (iteration: number, mIoU: number): TrainingBenchScore => ({
    iteration,
    mIoU,
    seconds: iteration / 2,
    cpuSeconds: iteration,
  });
  const slower = ({ seconds, cpuSeconds, ...rest }: TrainingBenchScore) => ({
    ...rest,
    seconds: 2 * seconds,
    cpuSeconds: 4 * cpuSeconds,
  });
  const ours = [score(20, 10), score(40, 30), score(60, 28)];
  const scores = [score(20, 12), score(40, 18), score(60, 25)].map(slower);
  const result = {
    size: [4, 96, 128],
    iterations: 60,
    place: CPU,
    ours,
    peer: { torch: "1.13.0", scores },
  } as const;

  test("the score that counts is the most that both reach, or the one that is asked for", () => {
    expect(whoReaches(ours, scores)).toEqual({ miou: 25, reached: { ours: ours[1], peer: scores[2] } });
    expect(whoReaches(ours, scores, 11)).toEqual({ miou: 11, reached: { ours: ours[1], peer: scores[0] } });
    expect(whoReaches(ours, null)).toEqual({ miou: 30, reached: { ours: ours[1], peer: null } });
  });

  test("ratios first, then both sides", () => {
    const lines = benchTrainingText({ ...result, ...whoReaches(ours, scores) }).split("\n");
    expect(lines.slice(0, 3)).toEqual([
      "0.33 of PyTorch's time and 0.17 of its processor time to mIoU 25.0",
      "DeepLabv3+ on resnet18, generated scenes, cross entropy, 60 iterations of 4×96×128",
      "AMD EPYC, 2 threads, libtorch 1.13.0",
    ]);
    expect(lines[4]).toMatch(/^armseg +40 +20\.0 s +40\.0 s +28\.0$/);
    expect(lines[5]).toMatch(/^PyTorch 1\.13\.0 +60 +60\.0 s +240\.0 s +25\.0$/);
  });

  test("a mIoU that is none is an error", async () => {
    await expect(benchTraining({ miou: 101 })).rejects.toThrow("benchTraining(): expected a mIoU above 0");
  });

  test("a score that a side does not reach is said so", () => {
    const textAt = (miou: number) => benchTrainingText({ ...result, ...whoReaches(ours, scores, miou) });
    expect(textAt(29)).toMatch(/^armseg alone reaches mIoU 29\.0\n.*\nPyTorch 1\.13\.0 +never +25\.0$/s);
    expect(textAt(50)).toMatch(/^neither reaches mIoU 50\.0\n/);
    expect(benchTrainingText({ ...result, peer: null, ...whoReaches(ours, null) })).toMatch(
      /^no Python with PyTorch for cpu/,
    );
  });
});
