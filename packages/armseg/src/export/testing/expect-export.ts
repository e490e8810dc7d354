import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { type SegmenterConfig, segmenter } from "../../networks/index.ts";
import { fillByFormula } from "../../networks/testing/formula.ts";
import { exportOnnx } from "../export-onnx.ts";
import type { ModelMetadata } from "../metadata.ts";
import { compareWithNetwork, isEqual } from "../parity.ts";
import { hasRuntime } from "../runtime/session.ts";
import { testMetadata } from "./metadata.ts";

/** Why models cannot be run here; `false` where they can. */
export const NO_RUNTIME = hasRuntime() ? false : "onnxruntime-node is not installed";

/** Runs `body` in a folder that is gone afterwards. */
export async function inFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "armseg-export-"));
  try {
    return await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Writes a network's model with weights by formula. */
export async function writtenModel(
  folder: string,
  config: SegmenterConfig,
  fields: Partial<ModelMetadata> = {},
  name = "model.onnx",
): Promise<{ path: string; metadata: ModelMetadata }> {
  const path = join(folder, name);
  const metadata = testMetadata(config.classes, fields);
  using network = segmenter(config);
  fillByFormula(network);
  await exportOnnx(network, path, metadata);
  return { path, metadata };
}

/** Asserts that a network's model is one by the rules of ONNX, where Python knows them, and computes what the network does. */
export async function expectEqualModel(
  config: SegmenterConfig,
  fields: Partial<ModelMetadata> = {},
): Promise<void> {
  await inFolder(async (folder) => {
    const { path, metadata } = await writtenModel(folder, config, fields);
    if (hasPythonOnnx()) checkByPython(path);
    using network = segmenter(config);
    fillByFormula(network);
    const comparisons = compareWithNetwork(network, path, metadata);
    expect(comparisons).toHaveLength(3);
    for (const comparison of comparisons) expect(isEqual(comparison), JSON.stringify(comparison)).toBe(true);
  });
}

/** A Python with `onnx` and `onnxruntime`: `ARMSEG_PYTHON`, or `python3`. */
const PYTHON = process.env.ARMSEG_PYTHON ?? "python3";

/** Returns whether Python has ONNX's checker. */
export function hasPythonOnnx(): boolean {
  try {
    execFileSync(PYTHON, ["-c", "import onnx, onnxruntime"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const CHECK = `
import sys, numpy, onnx, onnxruntime
path = sys.argv[1]
onnx.checker.check_model(path, full_check=True)
session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
for size in ((64, 96), (65, 81)):
    images = numpy.random.default_rng(0).integers(0, 256, (2, 3, *size)).astype(numpy.float32)
    first, *rest = session.run(None, {"images": images})
    assert first.shape[0] == 2 and first.shape[-2:] == size, first.shape
`;

/** Runs ONNX's checker and ONNX Runtime in Python. */
export function checkByPython(path: string): void {
  execFileSync(PYTHON, ["-c", CHECK, path], { stdio: "pipe" });
}
