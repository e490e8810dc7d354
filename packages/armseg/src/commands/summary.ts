import { networkConfig } from "../config/build.ts";
import { openData } from "../config/open-data.ts";
import type { Config } from "../config/schema.ts";
import { type NetworkSummary, summarise } from "../networks/index.ts";

/**
 * Parts, parameters, arithmetic and activation memory of a configuration's network, at its crop and batch size, without running it.
 *
 * @param classes - Default: those of the training split, which is then opened.
 */
export async function summariseConfig(config: Config, classes?: number): Promise<NetworkSummary> {
  const count = classes ?? (await openData(config.data, "train")).classes.length;
  const { augmentation, training } = config;
  return summarise(networkConfig(config, count), { crop: augmentation.crop, batch: training.batchSize });
}
