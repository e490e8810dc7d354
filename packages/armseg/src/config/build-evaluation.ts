import type { Sample } from "../data/sample.ts";
import type { InferenceOptions } from "../evaluation/index.ts";
import { createEvaluationReader, type EvaluationReader } from "../pipeline/index.ts";
import type { Indicator } from "../reweighting/index.ts";
import { ConfigError } from "./read-config.ts";
import type { Config } from "./schema.ts";

/** Returns the reader of whole images, as a configuration evaluates them. @param workers - Default the configuration's. */
export function buildReader(
  config: Config,
  samples: readonly Sample[],
  workers = config.training.workers,
): EvaluationReader {
  return createEvaluationReader({
    samples,
    normalise: config.augmentation,
    base: config.evaluation.base,
    ...(workers !== undefined && { workers }),
  });
}

/** Returns how images become predictions. @throws {ConfigError} If mode slide lacks its windows. */
export function inferenceOptions({ mode, crop, stride, tta }: Config["evaluation"]): InferenceOptions {
  const augmentation = tta === "none" ? null : tta;
  if (mode === "whole") return { augmentation };
  if (!crop || !stride)
    throw new ConfigError("evaluation.mode slide needs evaluation.crop and evaluation.stride");
  return { augmentation, window: { crop, stride } };
}

/** Returns the indicator that predictions are shown with: `kl` needs the scale that a head predicts beside the logits, which inference leaves out. */
export function shownIndicator({ indicator }: Config["reweighting"]): Indicator {
  return indicator === "kl" ? "var" : indicator;
}
