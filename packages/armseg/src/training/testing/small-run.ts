import { join } from "node:path";
import { checkConfig } from "../config/read-config.ts";
import type { Config } from "../config/schema.ts";

/** The smallest training that has every part: a DeepLabv3+ with auxiliary head, ARM, dropout, augmentation. */
export function smallConfig(
  folder: string,
  settings: { iterations: number; checkpointEvery: number },
): Config {
  return checkConfig(
    {
      data: {
        format: "scenes",
        annotations: "coarse",
        scenes: { folder: join(folder, "scenes"), count: { train: 12, val: 2 }, size: [48, 96] },
      },
      model: { backbone: "resnet18", stem: "v1", outputStride: 32, headChannels: 8 },
      reweighting: { learningRateMultiplier: 10 },
      schedule: { iterations: settings.iterations },
      augmentation: { crop: [32, 48], scale: [0.75, 1.25] },
      training: {
        batchSize: 2,
        deterministic: true,
        workers: 0,
        logEvery: 1,
        evaluateEvery: settings.iterations,
        checkpointEvery: settings.checkpointEvery,
      },
    },
    "the test",
  );
}
