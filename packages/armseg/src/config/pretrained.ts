import { existsSync } from "node:fs";
import { fileNameOf, type ImageNetWeights, imageNetWeights } from "../networks/weights/imagenet.ts";
import { addressOf, cachedPath, weightsFolder } from "../networks/weights/weights-cache.ts";
import { ConfigError } from "./read-config.ts";
import type { Config } from "./schema.ts";

type Model = Config["model"];

/** The file that `model.weights` stands for. */
export interface PretrainedFile {
  readonly path: string;
  /** `null` where the configuration names the file itself. */
  readonly entry: ImageNetWeights | null;
}

/**
 * Returns the file that a network begins with; `null` for random weights.
 *
 * @throws {ConfigError} If there are no ImageNet weights of its backbone.
 */
export function pretrainedFile(model: Model): PretrainedFile | null {
  if (model.weights === null) return null;
  if (model.weights !== "imagenet") return { path: model.weights, entry: null };
  try {
    const entry = imageNetWeights(model);
    return { path: cachedPath(entry), entry };
  } catch (cause) {
    throw new ConfigError(`model.weights imagenet: ${(cause as Error).message}`, { cause });
  }
}

/** Says what a training will miss and how to get it; `null` where nothing is missing. */
export function missingWeights(model: Model): string | null {
  const file = pretrainedFile(model);
  if (file === null || existsSync(file.path)) return null;
  const { path, entry } = file;
  const random = "or begin with random weights: --set model.weights=null";
  if (entry === null) return `model.weights: there is no file ${path}; name one that is there, ${random}`;
  const size = entry.mebibytes === null ? "" : ` (${Math.ceil(entry.mebibytes)} MiB)`;
  return (
    `model.weights imagenet: ${fileNameOf(entry)}${size} is not in ${weightsFolder()}. ` +
    `Fetch it once with \`armseg weights fetch ${entry.name}\`; ` +
    `where there is no network, put the file of ${addressOf(entry)} into that folder; ${random}`
  );
}

/** @throws {ConfigError} If a file that the training begins with is not there. */
export function requireWeights({ model }: Pick<Config, "model">): void {
  const missing = missingWeights(model);
  if (missing !== null) throw new ConfigError(missing);
}
