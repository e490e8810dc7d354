import { expect, test } from "vitest";
import { benchLossText } from "./loss.ts";
import { benchStepText } from "./step.ts";

const MIB = 2 ** 20;

test("bench loss: ratios first, then ours and the peer's", () => {
  const figure = (ms: number, bytes: number) => ({ ms, bytes });
  const text = benchLossText({
    size: [2, 19, 128, 256, 512, 1024],
    threads: 2,
    fused: figure(15, 6 * MIB),
    composed: figure(1000, 900 * MIB),
    peer: {
      torch: "1.13.0",
      fused: figure(14, 7 * MIB),
      composed: figure(1500, 540 * MIB),
      plain: figure(300, 230 * MIB),
    },
    peerMissing: null,
    ratios: { composed: 100, plain: 20, memory: 90 },
  });
  expect(text.split("\n").slice(0, 3)).toEqual([
    "100.0× faster than the same in PyTorch (goal 80×)",
    "20.0× faster than PyTorch's plain cross entropy (goal 15×)",
    "1/90 of PyTorch's memory (goal 1/30)",
  ]);
  expect(text).toMatch(/armseg, fused +15\.0 ms +6\.0 MiB/);
});

test("bench loss: without a peer it says why", () => {
  const figure = { ms: 15, bytes: null };
  const size = [1, 2, 8, 8, 32, 32] as const;
  const peerMissing = "there is no Python with PyTorch";
  const text = benchLossText({
    size,
    threads: 1,
    fused: figure,
    composed: figure,
    peer: null,
    peerMissing,
    ratios: null,
  });
  expect(text).toMatch(/^no comparison: there is no Python with PyTorch\n/);
});

test("bench step: the better of the peer's formats is what counts", () => {
  const figure = (ms: number) => ({ ms, bytes: 900 * MIB, parameters: 25_496_822 });
  const text = benchStepText({
    backbone: "resnet18",
    size: [2, 256, 512],
    threads: 2,
    parameters: 25_496_822,
    plainMs: 800,
    armMs: 804,
    armShare: 0.005,
    peakBytes: 700 * MIB,
    peer: { torch: "1.13.0", contiguous: figure(1000), channels_last: figure(1200) },
    ratio: 0.8,
  });
  expect(text).toMatch(/^0\.80 of PyTorch's time \(goal 0\.85\)\n0\.5 % of a step is ARM's/);
});
