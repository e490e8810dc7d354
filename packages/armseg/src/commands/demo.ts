import { join } from "node:path";
import { checkConfig } from "../config/read-config.ts";
import type { Config } from "../config/schema.ts";
import { writeComparison } from "../report/write-report.ts";
import { type RunControl, type RunResult, startTraining } from "./train.ts";

/** What the demo made. */
export interface DemoResult {
  readonly plain: RunResult;
  readonly arm: RunResult;
  /** The page that compares both. */
  readonly report: string;
}

/** A training that a laptop finishes in minutes: small scenes, a small network. */
function demoConfig(folder: string, curve: "none" | "arm", iterations: number): Config {
  return checkConfig(
    {
      name: curve === "none" ? "plain cross entropy" : "ARM",
      data: {
        format: "scenes",
        annotations: "coarse",
        scenes: { folder: join(folder, "scenes"), count: { train: 160, val: 24 }, size: [96, 192] },
      },
      model: { backbone: "resnet18", stem: "v1", outputStride: 16, headChannels: 64 },
      reweighting: { curve, learningRateMultiplier: 10 },
      optimizer: { learningRate: 0.05 },
      schedule: { iterations },
      augmentation: { crop: [96, 128], scale: [0.75, 1.5] },
      training: { batchSize: 4, evaluateEvery: Math.ceil(iterations / 3), checkpointEvery: iterations },
    },
    "the demo",
  );
}

/**
 * Generates street scenes, draws coarse labels, trains a small DeepLabv3+ on them twice (plain cross entropy, ARM), scores
 * both on fine labels and writes a report that compares them.
 *
 * @param folder - A new folder for everything.
 */
export async function runDemo(
  folder: string,
  control: Omit<RunControl, "folder"> & { readonly iterations?: number } = {},
): Promise<DemoResult> {
  const { iterations = 300, ...rest } = control;
  const train = (curve: "none" | "arm") =>
    startTraining(demoConfig(folder, curve, iterations), {
      ...rest,
      folder: join(folder, curve === "none" ? "plain" : "arm"),
    });
  const plain = await train("none");
  rest.signal?.throwIfAborted();
  const arm = await train("arm");
  const report = join(folder, "report.html");
  writeComparison(report, "Coarse labels: plain cross entropy and ARM", [plain.folder, arm.folder]);
  return { plain, arm, report };
}
