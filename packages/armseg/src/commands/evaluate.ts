import { basename, join, resolve } from "node:path";
import { tidy } from "@armseg/torch";
import { buildNetwork, onOwnDevice } from "../config/build.ts";
import { buildEvaluation } from "../config/build-evaluation.ts";
import { openData } from "../config/open-data.ts";
import { ConfigError } from "../config/read-config.ts";
import { readRunConfig } from "../config/read-run-config.ts";
import type { Config } from "../config/schema.ts";
import type { ClassInfo, Dataset } from "../data/sample.ts";
import {
  type DistributedContext,
  distributedContext,
  mainFirst,
  ONE_PROCESS,
} from "../distributed/context.ts";
import { type EvaluationResult, errorSplitTable, metricsTable } from "../evaluation/index.ts";
import type { Segmenter } from "../networks/index.ts";
import { checkpointIteration } from "../runs/checkpoint-index.ts";
import { type CheckpointChoice, chooseCheckpoint } from "../runs/choose-checkpoint.ts";
import type { MapsInfo } from "../runs/maps/index.ts";
import { readMetrics } from "../runs/metrics.ts";
import { recordsOfKind } from "../runs/records.ts";
import { runPaths } from "../runs/run-folder.ts";
import { loadModelWeights } from "../training/checkpoint.ts";
import { openFineAndCoarse } from "./coarse-labels.ts";
import { MapsWriter } from "./maps-writer.ts";
import { loadModel } from "./model.ts";
import type { Predictor } from "./predictor.ts";
import { type CoarseLabels, logitsOf, type ScoreOptions, score } from "./validate.ts";

export interface TrainedOptions {
  /** The run folder. */
  readonly folder: string;
  /** Default `best`, or `last` where none was scored. */
  readonly checkpoint?: CheckpointChoice;
  /** `key=value`, put over the run's own configuration. */
  readonly overrides?: readonly string[];
  /** Processes that share the work; each takes a GPU of its own. Default one. */
  readonly context?: DistributedContext;
}

/** A trained network with what it was trained by, in evaluation mode. */
export interface TrainedNetwork extends Predictor {
  readonly config: Config;
  readonly network: Segmenter;
}

/** A trained network with labelled data. */
export interface Trained extends TrainedNetwork {
  /** The split that it was validated on; its classes are the network's. */
  readonly dataset: Dataset;
}

/**
 * Loads the network of a run; needs none of its data.
 *
 * @throws If the folder holds no run, or no checkpoint that fits its configuration.
 */
export function loadNetwork(options: TrainedOptions): TrainedNetwork {
  const paths = runPaths(options.folder);
  const config = onOwnDevice(
    readRunConfig(options.folder, options.overrides),
    options.context ?? ONE_PROCESS,
  );
  const checkpoint = chooseCheckpoint(options.folder, options.checkpoint);
  const classes = recordsOfKind(readMetrics(paths.metrics), "run")[0]?.classes;
  if (!classes) throw new Error(`${paths.metrics} does not name the classes; the run never began`);
  const settings = buildEvaluation(config);
  const network = buildNetwork(config, classes.length);
  tidy(() => network.loadStateDict(loadModelWeights(checkpoint)));
  network.to({ device: settings.device }).eval();
  return {
    config,
    settings,
    network,
    predictLogits: logitsOf(network),
    checkpoint,
    classes,
    imageRange: config.data.imageRange,
    [Symbol.dispose]: () => network.dispose(),
  };
}

/** Loads the network of a run with a split of its data. @param split - Default `val`. */
export async function loadTrained(
  options: TrainedOptions & { readonly split?: "train" | "val" },
): Promise<Trained> {
  const trained = loadNetwork(options);
  try {
    return { ...trained, dataset: await openData(trained.config.data, options.split ?? "val") };
  } catch (error) {
    trained[Symbol.dispose]();
    throw error;
  }
}

export interface EvaluationOutcome {
  readonly checkpoint: string;
  readonly dataset: Dataset;
  readonly result: EvaluationResult;
  /** The folder of maps, where they were asked for. */
  readonly maps?: string;
}

export interface EvaluateOptions {
  /** Default `val`. */
  readonly split?: "train" | "val";
  /** Tells apart errors where the coarse label is right, wrong or void; the split is scored on its fine labels. Default false. */
  readonly splitErrors?: boolean;
  /** Folder of the coarse labels, see {@link openFineAndCoarse}. */
  readonly coarse?: string;
  readonly onProgress?: (images: number, total: number) => void;
}

/** Scores a run's network on a split, whole images or as `evaluation` in the configuration says; as one process of several where the environment says so. */
export async function evaluateRun(
  options: TrainedOptions &
    EvaluateOptions & {
      /** Also writes label, prediction and confidence of each image into `maps/SPLIT-ITERATION` of the run. Default false. */
      readonly maps?: boolean;
    },
): Promise<EvaluationOutcome> {
  const context = distributedContext();
  using trained = loadNetwork({ ...options, context });
  // Coarse labels of generated scenes are drawn into a folder.
  const { dataset, coarse } = await mainFirst(context, () => openSplit(trained.config.data, options));
  const maps = options.maps ? mapsOf(options.folder, trained, dataset.split) : undefined;
  const writer =
    maps && (await mainFirst(context, async () => new MapsWriter(maps.folder, maps.info, context)));
  const result = await scoreSplit(trained, { dataset, ...(coarse && { coarse }) }, options, {
    context,
    ...(writer && {
      onImage: (sample, image) => writer.add(sample, { ...image, confidence: image.confidence! }),
    }),
  });
  return { checkpoint: trained.checkpoint, dataset, result, ...(maps && { maps: maps.folder }) };
}

/**
 * Scores an exported model as {@link evaluateRun} scores a network: the same windows, views and measures.
 *
 * @param options.path - The `.onnx` file.
 * @param options.config - Whose data and `evaluation` count. What normalises images is in the model.
 * @throws {ModelFileError} If the file is no model, is damaged or is one of others.
 * @throws {RuntimeMissingError} If `onnxruntime-node` is not installed.
 */
export async function evaluateModel(
  options: EvaluateOptions & { readonly path: string; readonly config: Config },
): Promise<EvaluationOutcome> {
  using model = loadModel(options);
  const split = await openSplit(options.config.data, options);
  checkClasses(options.path, model.classes, split.dataset);
  const result = await scoreSplit(model, split, options);
  return { checkpoint: model.checkpoint, dataset: split.dataset, result };
}

function checkClasses(path: string, classes: readonly ClassInfo[], dataset: Dataset): void {
  const names = (list: readonly ClassInfo[]) => list.map(({ name }) => name).join(", ");
  if (names(classes) === names(dataset.classes)) return;
  throw new ConfigError(
    `${path} has the classes ${names(classes)}, ${dataset.name} has ${names(dataset.classes)}; evaluate it on the data set that it was trained for`,
  );
}

/** A split to score on. */
interface Split {
  readonly dataset: Dataset;
  readonly coarse?: CoarseLabels;
}

function scoreSplit(
  { settings, predictLogits }: Predictor,
  { dataset, coarse }: Split,
  { onProgress }: EvaluateOptions,
  options: Pick<ScoreOptions, "context" | "onImage"> = {},
): Promise<EvaluationResult> {
  const total = Math.ceil(dataset.samples.length / (options.context?.worldSize ?? 1)); // this process's
  return score({
    settings,
    dataset,
    predictLogits,
    ...(coarse && { coarse }),
    onProgress: (images) => onProgress?.(images, total),
    ...options,
  });
}

async function openSplit(data: Config["data"], options: EvaluateOptions): Promise<Split> {
  const { split = "val" } = options;
  if (!options.splitErrors) return { dataset: await openData(data, split) };
  const { fine, coarse } = await openFineAndCoarse(data, split, options.coarse);
  return { dataset: fine, coarse };
}

/** Where the maps of a run's split lie, and what they say of themselves. */
function mapsOf(folder: string, trained: TrainedNetwork, split: string) {
  const info = mapsInfo(folder, trained, split);
  const when = info.iteration === null ? info.checkpoint : String(info.iteration).padStart(8, "0");
  return { folder: join(runPaths(folder).maps, `${split}-${when}`), info };
}

/** Returns what maps say of the network that they are from. */
export function mapsInfo(
  folder: string,
  { checkpoint, classes, settings }: Predictor,
  split: string | null,
): MapsInfo {
  return {
    version: 1,
    run: basename(resolve(folder)),
    checkpoint: basename(checkpoint),
    iteration: checkpointIteration(checkpoint) ?? null,
    split,
    indicator: settings.indicator,
    classes: classes.map(({ name, color }) => ({ name, color: [...color] })),
  };
}

/** Returns the scores as a table for a terminal. */
export function evaluationText({ checkpoint, dataset, result, maps }: EvaluationOutcome): string {
  const names = dataset.classes.map(({ name }) => name);
  return [
    `${dataset.name}, ${dataset.split}: ${result.images} images, ${result.seconds.toFixed(1)} s, ${checkpoint}`,
    metricsTable(result.metrics, names, result.boundary),
    ...(result.errorSplit ? [errorSplitTable(result.errorSplit)] : []),
    ...(maps ? [`Maps: ${maps}, shown by armseg studio`] : []),
  ].join("\n");
}
