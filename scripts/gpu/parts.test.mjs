import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { evalRows, lossRows, partsOf, stepRows, testRows, trainingRows } from "./parts.mjs";

let out;
beforeAll(() => {
  out = mkdtempSync(join(tmpdir(), "armseg-gpu-parts-"));
});
afterAll(() => rmSync(out, { recursive: true, force: true }));

const plan = (isRehearsal) =>
  partsOf({ bundle: "/bundle", out, scratch: "/scratch", isRehearsal, trainings: ["/a.yaml", "/b.yml"] });

test("a GPU is given all parts, trainings last, which share what is left", () => {
  const parts = plan(false);
  expect(parts.map(({ name }) => name)).toEqual([
    "build",
    "doctor",
    "tests",
    "bench-loss",
    "bench-eval",
    "bench-step-resnet50",
    "training",
    "bench-step-resnet101",
    "a",
    "b",
  ]);
  expect(parts.filter(({ skipped }) => skipped)).toEqual([]);
  expect(parts.slice(-2).map(({ share }) => share)).toEqual([0.5, 1]);
  expect(readFileSync(join(out, "training.yaml"), "utf8")).toContain("device: cuda");
});

test("a rehearsal leaves CUDA alone and says what it skips", () => {
  const parts = plan(true);
  expect(parts.flatMap(({ command }) => command).filter((word) => word.includes("cuda"))).toEqual([]);
  expect(parts.flatMap(({ name, skipped }) => (skipped ? [name] : []))).toEqual(["bench-step-resnet101"]);
});

test("failed tests and files that do not load are listed by name", () => {
  const report = {
    numPassedTests: 2,
    numFailedTests: 1,
    testResults: [
      {
        name: "/x/loss.test.ts",
        message: "",
        assertionResults: [
          { status: "failed", fullName: "fused equals composed" },
          { status: "passed", fullName: "b" },
        ],
      },
      { name: "/x/curve.test.ts", message: "Cannot find module\nat …", assertionResults: [] },
    ],
  };
  expect(testRows(`something else\n${JSON.stringify(report)}\n`)).toEqual([
    { what: "tests", ours: "2 passed, 1 failed", isReached: false },
    { what: "  fused equals composed", ours: "", isReached: false },
    { what: "  curve.test.ts: Cannot find module", ours: "", isReached: false },
  ]);
});

const side = (ms) => ({ ms, bytes: 100 * 2 ** 20 });
const peer = { composed: side(20), compiled: side(4), compiledMissing: null, plain: side(8) };
const loss = {
  fused: { ms: 2, bytes: 4 * 2 ** 20 },
  peer,
  ratios: { composed: 10, compiled: 2, plain: 4, memory: 25, compiledMemory: 25 },
};

test("the loss is held to its goals, and in a rehearsal to none", () => {
  const rows = lossRows(loss, { isRehearsal: false });
  expect(rows.map(({ ratio, goal, isReached }) => [ratio, goal, isReached])).toEqual([
    ["10.00×", "8×", true],
    ["2.00×", "3×", false],
    ["4.00×", undefined, undefined],
    ["25.00×", "20×", true],
    ["25.00×", "20×", true],
  ]);
  expect(lossRows(loss, { isRehearsal: true }).every(({ goal }) => goal === undefined)).toBe(true);
  expect(() => lossRows({ fused: null, fusedMissing: "no NVRTC" }, {})).toThrow("no fused loss: no NVRTC");
});

test("a peer that does not compile says why", () => {
  const missing = { ...peer, compiled: null, compiledMissing: "no Triton" };
  const ratios = { ...loss.ratios, compiled: null, compiledMemory: null };
  expect(lossRows({ ...loss, peer: missing, ratios }, { isRehearsal: false }).at(-1)).toEqual({
    what: "loss, PyTorch compiled: no Triton",
    ours: "2.00 ms",
    isReached: false,
  });
});

test("a step is held to the better of the eager formats", () => {
  const result = {
    backbone: "resnet50",
    plainMs: 100,
    armMs: 102,
    armShare: 0.02,
    peer: { contiguous: side(150), channels_last: side(120) },
    compiled: side(90),
    compiledMissing: null,
    ratio: 100 / 120,
  };
  expect(stepRows(result, { isRehearsal: false })).toEqual([
    {
      what: "step, resnet50, PyTorch eager",
      ours: "100.0 ms",
      peer: "120.0 ms",
      ratio: "1.20×",
      goal: "1.15×",
      isReached: true,
    },
    { what: "step, resnet50, PyTorch compiled", ours: "100.0 ms", peer: "90.0 ms", ratio: "0.90×" },
    { what: "step, resnet50, ARM's share", ours: "102.0 ms", ratio: "2.0 %", goal: "1 %", isReached: false },
  ]);
});

test("an evaluation without a peer is no figure", () => {
  expect(() => evalRows({ ours: side(1), peer: null, ratio: null })).toThrow("no Python");
  expect(evalRows({ ours: side(1), peer: side(12), ratio: 12 })[0]).toMatchObject({ ratio: "12.00×" });
});

test("a training is told by its last loss, score and time; one that is not finite is a failure", () => {
  const train = (iteration, value) => ({ kind: "train", iteration, loss: value });
  const timing = (iteration, iterationSeconds) => ({ kind: "timing", iteration, iterationSeconds });
  const metrics = [
    train(1, 3),
    timing(1, 9),
    train(6, 2),
    timing(6, 0.2),
    { kind: "evaluation", mIoU: 0.25 },
  ];
  expect(trainingRows("training", metrics)).toEqual([
    {
      what: "training: 6 iterations, loss 2.000, mIoU 25.0",
      ours: "200.0 ms",
      goal: "finite",
      isReached: true,
    },
  ]);
  expect(trainingRows("training", [train(1, "NaN")])[0]).toMatchObject({ isReached: false });
  expect(() => trainingRows("training", [])).toThrow("not one iteration");
});
