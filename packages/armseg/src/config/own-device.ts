import { distributed } from "@armseg/torch";
import type { World } from "../distributed/world.ts";
import { ConfigError } from "./read-config.ts";
import type { Config } from "./schema.ts";

/**
 * The configuration of one process of a world: on its own GPU, if it is on GPUs.
 *
 * @throws {ConfigError} If several processes cannot share the device.
 */
export function ofOwnDevice(config: Config, world: World | null): Config {
  const { device } = config.training;
  if (!world || device === "cpu") return config;
  if (device !== "cuda") {
    throw new ConfigError(
      `training.device: ${world.size} processes train on cpu, or on cuda, where each takes a GPU of its own; got ${device}`,
    );
  }
  if (!distributed.processGroupDevices().includes("cuda")) {
    throw new ConfigError(
      "training.device cuda: this build carries no GPU tensors between processes; it needs libtorch 2 with NCCL, see docs/scale.md",
    );
  }
  return { ...config, training: { ...config.training, device: `cuda:${world.localRank}` } };
}
