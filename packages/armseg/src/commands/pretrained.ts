import type { Training } from "../config/build.ts";
import type { Config } from "../config/schema.ts";
import { formatWeightsReport, loadWeights } from "../networks/index.ts";

/**
 * Loads the pretrained weights that a configuration names, and says what matched.
 *
 * @throws {WeightsError} If they do not fit and `model.allowPartialWeights` is not set.
 */
export function loadPretrained(training: Training, { model }: Config, say: (text: string) => void): void {
  if (model.weights === null) return;
  const report = loadWeights(training.network, model.weights, { allowPartial: model.allowPartialWeights });
  training.ema?.loadStateDict(training.network.stateDict()); // the average begins at the pretrained weights
  say(formatWeightsReport(report));
}
