import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setThreads } from "@armseg/torch";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readConfig } from "../config/read-config.ts";
import { runConfigText } from "../config/read-run-config.ts";
import { exportOnnx, readModelMetadata } from "../export/index.ts";
import { compareWithNetwork, isEqual } from "../export/parity.ts";
import { NO_RUNTIME, writtenModel } from "../export/testing/expect-export.ts";
import { testMetadata } from "../export/testing/metadata.ts";
import { evaluateModel, evaluateRun, loadNetwork } from "./evaluate.ts";
import { differs, exportRun, exportText } from "./export.ts";
import { predictRun } from "./predict.ts";
import { smallConfig } from "./testing/small-run.ts";
import { startTraining } from "./train.ts";

const root = mkdtempSync(join(tmpdir(), "armseg-model-"));
const folder = join(root, "run");
const model = join(root, "model.onnx");
const data = join(root, "armseg.yaml");
afterAll(() => rmSync(root, { recursive: true }));

describe.skipIf(NO_RUNTIME)("an exported model", () => {
  beforeAll(async () => {
    setThreads(1);
    const config = smallConfig(root, { iterations: 4, checkpointEvery: 4 });
    await startTraining(config, { folder, stream: null });
    writeFileSync(data, runConfigText(config));
    const result = await exportRun({ folder, out: model, license: "CC0" });
    expect(result.comparisons).toHaveLength(3);
    expect(result.metadata).toMatchObject({
      network: "deeplabV3Plus mobilenetV2",
      license: "CC0",
      scores: { iteration: 4 },
    });
    expect(exportText(result)).toContain("compared with the network, in ONNX Runtime");
  }, 300_000);

  const scores = async (overrides: string[] = []) => {
    const ofRun = await evaluateRun({ folder, overrides });
    const ofModel = await evaluateModel({ path: model, config: readConfig(data, overrides) });
    return [ofRun, ofModel].map(({ result: { metrics, boundary } }) => [
      metrics.mIoU,
      metrics.aAcc,
      boundary?.mean ?? 0,
    ]);
  };

  test.each([
    { name: "whole", overrides: [] },
    { name: "with Boundary IoU", overrides: ["evaluation.boundary=true"] },
    {
      name: "in windows",
      overrides: ["evaluation.mode=slide", "evaluation.crop=[32, 48]", "evaluation.stride=[24, 32]"],
    },
    { name: "in views of several scales, mirrored", overrides: ["evaluation.tta=mmseg"] },
  ])("has the scores of its run to the fourth digit: $name", async ({ overrides }) => {
    const [ofRun, ofModel] = await scores(overrides);
    for (const [i, score] of ofModel!.entries()) expect(score).toBeCloseTo(ofRun![i]!, 4);
  });

  test("labels images as its run does, without a configuration", async () => {
    const inputs = [join(root, "scenes/**/images/val/*.png")];
    const [ofRun, ofModel] = await Promise.all(
      [folder, model].map((from, i) =>
        predictRun({ folder: from, inputs, out: join(root, `out-${i}`), overlay: true }),
      ),
    );
    expect(ofModel!.files.length).toBe(ofRun!.files.length);
    expect(ofModel!.images).toBeGreaterThan(0);
    for (const [i, file] of ofModel!.files.entries())
      expect(readFileSync(file).equals(readFileSync(ofRun!.files[i]!))).toBe(true);
  });

  test("that gives classes scores the same, and refuses windows and views", async () => {
    const path = join(root, "classes.onnx");
    await exportRun({ folder, out: path, output: "classes" });
    const [ofRun, ofModel] = [
      await evaluateRun({ folder }),
      await evaluateModel({ path, config: readConfig(data) }),
    ];
    expect(ofModel.result.metrics.mIoU).toBeCloseTo(ofRun.result.metrics.mIoU, 4);
    await expect(evaluateModel({ path, config: readConfig(data, ["evaluation.tta=mmseg"]) })).rejects.toThrow(
      /classes\.onnx gives the class of each pixel only, .* export it with --output logits/,
    );
  });

  test("with its weights as 8-bit integers is a quarter as large, and says what that costs", async () => {
    const path = join(root, "int8.onnx");
    const result = await exportRun({ folder, out: path, quantise: "int8" });
    expect(statSync(path).size).toBeLessThan(0.35 * statSync(model).size);
    const { network, model: ofModel } = result.quantisation!;
    expect(network).toBeCloseTo((await evaluateRun({ folder })).result.metrics.mIoU, 10);
    expect(Math.abs(ofModel - network)).toBeLessThan(0.05);
    expect(exportText(result)).toMatch(
      /mIoU of the network \d+\.\d\d, of the model \d+\.\d\d \([+-]\d+\.\d\d\)/,
    );
  });

  test("that computes something else than its network fails the command, by name and difference", async () => {
    const path = join(root, "wrong.onnx");
    const metadata = readModelMetadata(model);
    using trained = loadNetwork({ folder });
    await exportOnnx(trained.network, path, {
      ...metadata,
      normalise: { ...metadata.normalise, mean: [0, 0, 0] },
    });
    const comparisons = compareWithNetwork(trained.network, path, metadata);
    expect(comparisons.every(isEqual)).toBe(false);
    expect(differs(path, comparisons).message).toMatch(
      /wrong\.onnx was written, but does not compute what the network computes .* do not use it:\n {2}128×192: largest difference \d/,
    );
  });

  test("is not overwritten unless asked for, and refuses data of other classes", async () => {
    await expect(exportRun({ folder, out: model })).rejects.toThrow(/model\.onnx exists already/);
    const { path } = await writtenModel(
      root,
      { backbone: "mobilenetV2", stages: 2, head: "fcn", classes: 3 },
      {},
      "other.onnx",
    );
    await expect(evaluateModel({ path, config: readConfig(data) })).rejects.toThrow(
      /other\.onnx has the classes class 0, class 1, class 2, /,
    );
  });
});

test("where nothing was compared, the command says so", () => {
  const metadata = testMetadata(2);
  const text = exportText({
    checkpoint: "last.safetensors",
    files: ["model.onnx"],
    metadata,
    comparisons: null,
  });
  expect(text).toContain(
    "not compared with the network: ONNX Runtime is not installed (npm install onnxruntime-node)",
  );
});
