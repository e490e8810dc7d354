import { tidy } from "@armseg/torch";
import { buildNetwork, onOwnDevice } from "../config/build.ts";
import { buildEvaluation, type EvaluationSettings } from "../config/build-evaluation.ts";
import { openData } from "../config/open-data.ts";
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
import { type CheckpointChoice, chooseCheckpoint } from "../runs/choose-checkpoint.ts";
import { readMetrics } from "../runs/metrics.ts";
import { recordsOfKind } from "../runs/records.ts";
import { runPaths } from "../runs/run-folder.ts";
import { loadModelWeights } from "../training/checkpoint.ts";
import { openFineAndCoarse } from "./coarse-labels.ts";
import { type CoarseLabels, validate } from "./validate.ts";

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
export interface TrainedNetwork extends Disposable {
  readonly config: Config;
  readonly settings: EvaluationSettings;
  readonly network: Segmenter;
  readonly checkpoint: string;
  /** In the order of the network's outputs, as the run wrote them down. */
  readonly classes: readonly ClassInfo[];
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
  return { config, settings, network, checkpoint, classes, [Symbol.dispose]: () => network.dispose() };
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
}

/** Scores a run's network on a split, whole images or as `evaluation` in the configuration says; as one process of several where the environment says so. */
export async function evaluateRun(
  options: TrainedOptions & {
    readonly split?: "train" | "val";
    /** Tells apart errors where the coarse label is right, wrong or void; the split is scored on its fine labels. Default false. */
    readonly splitErrors?: boolean;
    /** Folder of the coarse labels, see {@link openFineAndCoarse}. */
    readonly coarse?: string;
    readonly onProgress?: (images: number, total: number) => void;
  },
): Promise<EvaluationOutcome> {
  const context = distributedContext();
  using trained = loadNetwork({ ...options, context });
  const { config, settings, network, checkpoint } = trained;
  // Coarse labels of generated scenes are drawn into a folder.
  const { dataset, coarse } = await mainFirst(context, () => openSplit(config.data, options));
  const total = Math.ceil(dataset.samples.length / context.worldSize); // this process's
  const result = await validate({
    settings,
    dataset,
    network,
    context,
    ...(coarse && { coarse }),
    onProgress: (images) => options.onProgress?.(images, total),
  });
  return { checkpoint, dataset, result };
}

async function openSplit(
  data: Config["data"],
  options: { readonly split?: "train" | "val"; readonly splitErrors?: boolean; readonly coarse?: string },
): Promise<{ readonly dataset: Dataset; readonly coarse?: CoarseLabels }> {
  const { split = "val" } = options;
  if (!options.splitErrors) return { dataset: await openData(data, split) };
  const { fine, coarse } = await openFineAndCoarse(data, split, options.coarse);
  return { dataset: fine, coarse };
}

/** Returns the scores as a table for a terminal. */
export function evaluationText({ checkpoint, dataset, result }: EvaluationOutcome): string {
  const names = dataset.classes.map(({ name }) => name);
  return [
    `${dataset.name}, ${dataset.split}: ${result.images} images, ${result.seconds.toFixed(1)} s, ${checkpoint}`,
    metricsTable(result.metrics, names, result.boundary),
    ...(result.errorSplit ? [errorSplitTable(result.errorSplit)] : []),
  ].join("\n");
}
