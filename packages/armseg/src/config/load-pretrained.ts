import { verifyFile } from "@armseg/torch/setup";
import { formatWeightsReport, loadWeights } from "../networks/index.ts";
import type { Training } from "../training/step.ts";
import { pretrainedFile, requireWeights } from "./pretrained.ts";
import { ConfigError } from "./read-config.ts";
import type { Config } from "./schema.ts";

/**
 * Loads the pretrained weights that a configuration names, and says what matched. Nothing is downloaded.
 *
 * @throws {WeightsError} If they do not fit and `model.allowPartialWeights` is not set.
 * @throws {ConfigError} If they are not there, or stages are frozen that have no weights.
 * @throws {DownloadError} If the cached file is not the one that was published.
 */
export async function loadPretrained(
  { network, ema }: Pick<Training, "network" | "ema">,
  { model }: Pick<Config, "model">,
  say: (text: string) => void,
): Promise<void> {
  requireWeights({ model });
  const file = pretrainedFile(model);
  if (file === null) return refuseRandomStages(model);
  if (file.entry) await verifyFile(file.path, file.entry.sha256);
  const report = loadWeights(network, file.path, { allowPartial: model.allowPartialWeights });
  ema?.loadStateDict(network.stateDict()); // the average begins at the pretrained weights
  say(formatWeightsReport(report));
}

function refuseRandomStages({ frozenStages }: Config["model"]): void {
  if (frozenStages === 0) return;
  throw new ConfigError(
    `model.frozenStages: ${frozenStages} stages would stay as random as they begin; set model.weights, or model.frozenStages: 0`,
  );
}
