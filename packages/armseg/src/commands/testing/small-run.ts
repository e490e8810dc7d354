import { join } from "node:path";
import { testDevice } from "@armseg/torch/testing";
import { checkConfig } from "../../config/read-config.ts";
import type { Config } from "../../config/schema.ts";

/**
 * The smallest training that has every part: a DeepLabv3+ with auxiliary head, ARM, dropout, augmentation.
 *
 * @param settings.device - Default the test device.
 */
export function smallConfig(
  folder: string,
  settings: { iterations: number; checkpointEvery: number; device?: string },
): Config {
  const { device = testDevice } = settings;
  return checkConfig(
    {
      data: {
        format: "scenes",
        annotations: "coarse",
        scenes: { folder: join(folder, "scenes"), count: { train: 12, val: 2 }, size: [48, 96] },
      },
      model: { backbone: "mobilenetV2", outputStride: 32, headChannels: 8 },
      reweighting: { learningRateMultiplier: 10 },
      schedule: { iterations: settings.iterations },
      augmentation: { crop: [32, 48], scale: [0.75, 1.25] },
      training: {
        batchSize: 2,
        device,
        deterministic: device === "cpu", // the operators of other devices are not all deterministic
        workers: 0,
        logEvery: 1,
        evaluateEvery: settings.iterations,
        checkpointEvery: settings.checkpointEvery,
      },
    },
    "the test",
  );
}
