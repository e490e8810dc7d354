import { existsSync } from "node:fs";
import { basename } from "node:path";
import type { Config } from "../config/schema.ts";
import {
  type Comparison,
  compareWithNetwork,
  exportOnnx,
  hasRuntime,
  isEqual,
  type ModelMetadata,
  type OutputKind,
  type Precision,
  TOLERANCE,
} from "../export/index.ts";
import { savePthWeights, type WeightNames } from "../networks/index.ts";
import { readMetrics } from "../runs/metrics.ts";
import { recordsOfKind } from "../runs/records.ts";
import { runPaths } from "../runs/run-folder.ts";
import { evaluateModel, loadNetwork, type TrainedNetwork, type TrainedOptions } from "./evaluate.ts";
import { validate } from "./validate.ts";

export interface ExportRunOptions extends TrainedOptions {
  /** The file to write. */
  readonly out: string;
  /** Default `logits`. */
  readonly output?: OutputKind;
  /** Whether the model also gives the likelihood of the likeliest class. Default false. */
  readonly confidence?: boolean;
  /** Keeps the weights in fewer bits, and scores network and model on the `val` split. Default: float32, and no score. */
  readonly quantise?: Exclude<Precision, "float32">;
  /** Of the data, kept in the model. */
  readonly license?: string;
  /** Replace a file that exists. Default false. */
  readonly overwrite?: boolean;
}

export interface ExportWeightsOptions extends TrainedOptions {
  /** The `.pth` file to write. */
  readonly out: string;
  /** Default `mmsegmentation`. */
  readonly names?: WeightNames;
  /** Replace a file that exists. Default false. */
  readonly overwrite?: boolean;
}

/**
 * Writes the weights of a run's network as a state dict of PyTorch.
 *
 * @throws {Error} If the file exists and `overwrite` is not set.
 * @throws {RangeError} If torchvision's names are asked for and it has no such backbone.
 */
export async function exportWeights(options: ExportWeightsOptions) {
  const { out, names = "mmsegmentation", overwrite = false } = options;
  assertNew(out, overwrite);
  using trained = loadNetwork(options);
  await savePthWeights(trained.network, out, { names });
  return { checkpoint: trained.checkpoint, files: [out], names };
}

function assertNew(path: string, overwrite: boolean): void {
  if (overwrite || !existsSync(path)) return;
  throw new Error(`${path} exists already; choose another name, or pass --overwrite`);
}

export interface ExportRunResult {
  readonly checkpoint: string;
  readonly files: readonly string[];
  readonly metadata: ModelMetadata;
  /** Model and network side by side; `null` where ONNX Runtime is not installed. */
  readonly comparisons: readonly Comparison[] | null;
  /** mIoU of both on the `val` split, where the weights have fewer bits. */
  readonly quantisation?: { readonly network: number; readonly model: number };
}

/**
 * Writes a run's network as an ONNX model, and compares the two where ONNX Runtime is installed.
 *
 * Weights of fewer bits compute something else; what that costs is measured on the `val` split.
 *
 * @throws {Error} If the file exists and `overwrite` is not set, or if the model computes something else than the network.
 */
export async function exportRun(options: ExportRunOptions): Promise<ExportRunResult> {
  const { out, overwrite = false } = options;
  assertNew(out, overwrite);
  using trained = loadNetwork(options);
  const metadata = metadataOf(trained, options);
  const files = await exportOnnx(trained.network, out, metadata);
  const comparisons = hasRuntime() ? compareWithNetwork(trained.network, out, metadata) : null;
  const different = comparisons?.filter((comparison) => !isEqual(comparison)) ?? [];
  if (different.length > 0 && !options.quantise) throw differs(out, different);
  const isScored = options.quantise && comparisons;
  return {
    checkpoint: trained.checkpoint,
    files,
    metadata,
    comparisons,
    ...(isScored && { quantisation: await scoreBoth(trained, out) }),
  };
}

async function scoreBoth(trained: TrainedNetwork, path: string) {
  const { config, settings, network } = trained;
  const model = await evaluateModel({ path, config });
  const own = await validate({ settings, dataset: model.dataset, network });
  return { network: own.metrics.mIoU, model: model.result.metrics.mIoU };
}

function metadataOf(
  { config, classes, checkpoint }: TrainedNetwork,
  options: ExportRunOptions,
): ModelMetadata {
  const { model, data, evaluation, augmentation } = config;
  return {
    version: 1,
    output: options.output ?? "logits",
    confidence: options.confidence ?? false,
    classes: classes.map(({ name, color }) => ({ name, color: [...color] })),
    normalise: { mean: augmentation.mean, std: augmentation.std },
    imageRange: data.imageRange ?? null,
    base: evaluation.base,
    crop: augmentation.crop,
    network: `${model.head} ${model.backbone}`,
    dataset: datasetName(data),
    license: options.license ?? null,
    scores: scoresOf(options.folder, checkpoint),
    precision: options.quantise ?? "float32",
  };
}

function datasetName({ format, root }: Config["data"]): string {
  return root === undefined ? format : `${format} ${basename(root)}`;
}

/** Returns what the log says of a checkpoint. */
function scoresOf(folder: string, checkpoint: string): ModelMetadata["scores"] {
  const iteration = Number(/iteration-(\d+)/.exec(basename(checkpoint))?.[1]);
  const scored = recordsOfKind(readMetrics(runPaths(folder).metrics), "evaluation").findLast(
    (record) => record.iteration === iteration,
  );
  if (!scored) return null;
  const { split, mIoU, aAcc } = scored;
  return { split, iteration, mIoU, aAcc };
}

/** The error of a model that is not its network. */
export function differs(path: string, comparisons: readonly Comparison[]): Error {
  const lines = comparisons.map((comparison) => `  ${comparisonText(comparison)}`);
  return new Error(
    [
      `${path} was written, but does not compute what the network computes (logits to ${TOLERANCE} of the largest); do not use it:`,
      ...lines,
    ].join("\n"),
  );
}

function comparisonText({ size, difference, agreement, ties }: Comparison): string {
  const tied = ties > 0 ? `, ${ties} ties` : "";
  return `${size.join("×")}: largest difference ${difference.toExponential(1)}, ${(100 * agreement).toFixed(3)} % of the classes equal${tied}`;
}

/** Returns what was exported as text for a terminal. */
export function exportText({
  checkpoint,
  files,
  metadata,
  comparisons,
  quantisation,
}: ExportRunResult): string {
  const compared = comparisons
    ? [
        "compared with the network, in ONNX Runtime:",
        ...comparisons.map((comparison) => `  ${comparisonText(comparison)}`),
      ]
    : ["not compared with the network: ONNX Runtime is not installed (npm install onnxruntime-node)"];
  const cost = quantisation ? [quantisationText(metadata.precision, quantisation)] : [];
  return [`${files.join(", ")}: written from ${checkpoint}`, ...compared, ...cost].join("\n");
}

function quantisationText(
  precision: Precision,
  scores: { readonly network: number; readonly model: number },
): string {
  const percent = (score: number) => (100 * score).toFixed(2);
  const change = scores.model - scores.network;
  const sign = change < 0 ? "" : "+";
  return `weights as ${precision}: mIoU of the network ${percent(scores.network)}, of the model ${percent(scores.model)} (${sign}${percent(change)})`;
}
