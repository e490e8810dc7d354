import { findPython } from "@armseg/torch/bench";
import { expect, test } from "vitest";
import { benchEval, benchEvalText } from "./evaluation.ts";

test("measures both sides of a small problem, where there is a Python with PyTorch", () => {
  const result = benchEval({ runs: 3, size: [5, 128, 256] });
  expect(result.ours.ms).toBeGreaterThan(0);
  const text = benchEvalText(result);
  expect(text).toMatch(/\n5×32×64 logits to 128×256 labels\n.*, 2 threads, libtorch \d/);
  if (findPython()) {
    expect(result.peer?.ms).toBeGreaterThan(0);
    expect(result.ratio).toBe(result.peer!.ms / result.ours.ms);
    expect(text).toMatch(/^\d+\.\d× faster than PyTorch\n/);
  } else {
    expect(result).toMatchObject({ peer: null, ratio: null });
    expect(text).toMatch(/^no Python with PyTorch/);
  }
});

test("without a peer, the text says so", () => {
  const text = benchEvalText({
    size: [19, 1024, 2048],
    place: { device: "cpu", name: "AMD EPYC", threads: 2, libtorch: "1.13.0" },
    ours: { ms: 14.25, bytes: null },
    peer: null,
    ratio: null,
  });
  expect(text).toBe(
    "no Python with PyTorch for cpu to compare with\n19×256×512 logits to 1024×2048 labels\nAMD EPYC, 2 threads, libtorch 1.13.0\narmseg, logits to confusion matrix  14.3 ms\n",
  );
});
