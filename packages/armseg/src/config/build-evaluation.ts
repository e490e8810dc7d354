import type { Device } from "@armseg/torch";
import type { Sample } from "../data/sample.ts";
import type { InferenceOptions } from "../evaluation/index.ts";
import { createEvaluationReader, type EvaluationReader, type NormaliseOptions } from "../pipeline/index.ts";
import type { Indicator } from "../reweighting/index.ts";
import { ConfigError } from "./read-config.ts";
import type { Config } from "./schema.ts";

/** How whole images are read, and shown to a network. */
export interface EvaluationSettings {
  /** Where the network is. */
  readonly device: Device;
  readonly inference: InferenceOptions;
  /** Whether to compute Boundary IoU. */
  readonly boundary: boolean;
  /** What confidence is shown by. */
  readonly indicator: Indicator;
  readonly normalise: NormaliseOptions;
  /** Opens a reader of images. @param workers - Threads. Default the configuration's. */
  readonly read: (samples: readonly Sample[], workers?: number) => EvaluationReader;
}

/** Returns how a configuration evaluates. @throws {ConfigError} If mode slide lacks its windows. */
export function buildEvaluation(config: Config): EvaluationSettings {
  const { augmentation: normalise, evaluation, reweighting, training } = config;
  const { indicator } = reweighting;
  return {
    device: training.device as Device,
    inference: inferenceOptions(evaluation),
    boundary: evaluation.boundary,
    // The kl indicator needs the scale that a head predicts beside the logits, which inference leaves out.
    indicator: indicator === "kl" ? "var" : indicator,
    normalise,
    read: (samples, workers = training.workers) =>
      createEvaluationReader({
        samples,
        normalise,
        base: evaluation.base,
        ...(workers !== undefined && { workers }),
      }),
  };
}

function inferenceOptions({ mode, crop, stride, tta }: Config["evaluation"]): InferenceOptions {
  const augmentation = tta === "none" ? null : tta;
  if (mode === "whole") return { augmentation };
  if (!crop || !stride)
    throw new ConfigError("evaluation.mode slide needs evaluation.crop and evaluation.stride");
  return { augmentation, window: { crop, stride } };
}
