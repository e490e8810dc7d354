import { buildEvaluation, type EvaluationSettings } from "../config/build-evaluation.ts";
import { ConfigError } from "../config/read-config.ts";
import type { Config } from "../config/schema.ts";
import { type ModelMetadata, openOnnxNetwork, readModelMetadata } from "../export/index.ts";
import { createEvaluationReader } from "../pipeline/index.ts";
import type { Predictor } from "./predictor.ts";

export interface ModelOptions {
  /** The `.onnx` file. */
  readonly path: string;
  /** Whose `evaluation` counts. Default: whole images, fitted as those of the run. */
  readonly config?: Config | undefined;
}

/** Leaves levels as they are: a model normalises on its own. */
const AS_THEY_ARE = { mean: [0, 0, 0], std: [1, 1, 1] } as const;

/**
 * Loads an exported model.
 *
 * @throws {ModelFileError} If the file is no model, is damaged, or was not written by `armseg export`.
 * @throws {ConfigError} If the model gives classes only, and windows or views are to be averaged.
 * @throws {RuntimeMissingError} If `onnxruntime-node` is not installed.
 */
export function loadModel(options: ModelOptions): Predictor {
  const { path } = options;
  const metadata = readModelMetadata(path);
  const settings = settingsOf(options, metadata);
  const { window, augmentation } = settings.inference;
  if (metadata.output === "classes" && (window || augmentation))
    throw new ConfigError(
      `${path} gives the class of each pixel only, of which windows and views have no mean; export it with --output logits, or evaluate whole images`,
    );
  const { logits, [Symbol.dispose]: dispose } = openOnnxNetwork(path, metadata);
  return {
    settings,
    predictLogits: logits,
    checkpoint: path,
    classes: metadata.classes,
    imageRange: metadata.imageRange ?? undefined,
    [Symbol.dispose]: dispose,
  };
}

function settingsOf({ config }: ModelOptions, { base }: ModelMetadata): EvaluationSettings {
  if (config === undefined) return plainSettings(base);
  return buildEvaluation({
    ...config,
    augmentation: { ...config.augmentation, mean: [...AS_THEY_ARE.mean], std: [...AS_THEY_ARE.std] },
    training: { ...config.training, device: "cpu" },
  });
}

function plainSettings(base: ModelMetadata["base"]): EvaluationSettings {
  return {
    device: "cpu",
    inference: {},
    boundary: false,
    indicator: "var",
    normalise: AS_THEY_ARE,
    read: (samples, workers) =>
      createEvaluationReader({
        samples,
        normalise: AS_THEY_ARE,
        base,
        ...(workers !== undefined && { workers }),
      }),
  };
}
