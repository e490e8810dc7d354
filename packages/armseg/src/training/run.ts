import { join } from "node:path";
import type { Device } from "@armseg/torch";
import { keepFreedMemory, libtorchVersion, manualSeed, useDeterministicAlgorithms } from "@armseg/torch";
import { stringify } from "yaml";
import { Progress, type ProgressStream } from "../report/progress.ts";
import { writeReport } from "../report/write-report.ts";
import { CheckpointIndex } from "../runs/checkpoint-index.ts";
import { appendEnvironment, collectEnvironment } from "../runs/environment.ts";
import { readMetrics } from "../runs/metrics.ts";
import { type EvaluationRecord, recordsOfKind } from "../runs/records.ts";
import { createRun, type RunFolder, resumeRun } from "../runs/run-folder.ts";
import { RunLog } from "../runs/run-log.ts";
import { buildTraining, type Training } from "./build.ts";
import { loadCheckpoint, validateCheckpoint } from "./checkpoint.ts";
import { openComparator } from "./comparator.ts";
import { checkConfig, readConfig } from "./config/read-config.ts";
import type { Config } from "./config/schema.ts";
import { openLoader } from "./open-loader.ts";
import { prepareData, type TrainingData } from "./prepare-data.ts";
import { loadPretrained } from "./pretrained.ts";
import { drawSamples } from "./samples.ts";
import { Trainer } from "./trainer.ts";
import { evaluationRecord, validate } from "./validate.ts";

export interface RunControl {
  /** Folder of the run. */
  readonly folder: string;
  /** Ends the training after the iteration in hand; everything is then in a checkpoint. */
  readonly signal?: AbortSignal;
  /** Where progress goes; `null` for none. Default: standard error. */
  readonly stream?: ProgressStream | null;
}

export interface RunResult {
  readonly folder: string;
  readonly iteration: number;
  readonly iterations: number;
  readonly isComplete: boolean;
  /** The last scores, if there are any. */
  readonly evaluation: EvaluationRecord | null;
}

const SILENT: ProgressStream = { write: () => true };

/** Lines for the head of the report. */
function facts(config: Config, data: TrainingData): Record<string, string> {
  const { model, loss, reweighting, optimizer, schedule, training } = config;
  const curve =
    reweighting.curve === "none"
      ? reweighting.comparator
      : `${reweighting.curve}, ${reweighting.indicator}, p = ${reweighting.p}`;
  return {
    data: `${data.train.name}: ${data.train.samples.length} to train on (${data.train.split}), ${data.val.samples.length} to validate on`,
    network: `${model.head} on ${model.backbone}, output stride ${model.outputStride}`,
    loss: `${loss.pixel}${loss.ohem ? ", OHEM" : ""}, auxiliary ${model.auxiliaryHead ? loss.auxiliaryWeight : "none"}`,
    reweighting: curve,
    "curve's learning rate": `${-reweighting.learningRateMultiplier} x the network's`,
    training: `${schedule.iterations} iterations, ${training.batchSize * optimizer.accumulate} a batch, ${optimizer.type} ${optimizer.learningRate}, seed ${training.seed}`,
    device: `${training.device}, ${training.precision}`,
  };
}

function prepareProcess(config: Config): void {
  keepFreedMemory();
  useDeterministicAlgorithms(config.training.deterministic);
  manualSeed(config.training.seed);
}

/** Evaluation during the training, with the moving average's weights where there is one. */
function evaluator(config: Config, data: TrainingData, training: Training, log: RunLog) {
  return async (iteration: number): Promise<EvaluationRecord> => {
    const score = () => validate({ config, dataset: data.val, network: training.network });
    const outcome = training.ema ? await training.ema.apply(training.network, score) : await score();
    const isLast = iteration === config.schedule.iterations;
    const record = evaluationRecord(outcome, iteration, data.val.split, isLast);
    log.log(record);
    return record;
  };
}

/** Everything between an open run folder and the last iteration. */
async function trainInFolder(
  config: Config,
  run: RunFolder,
  isResumed: boolean,
  control: RunControl,
): Promise<RunResult> {
  const { folder, signal, stream = process.stderr } = control;
  const say = (text: string) => stream?.write(`${text}\n`);
  prepareProcess(config);
  const data = await prepareData(config, { cacheFolder: join(folder, "cache"), say });
  const training = buildTraining(config, data.train.classes.length, data.classWeights);
  try {
    const checkpoints = new CheckpointIndex(run.paths.checkpoints, {
      keepLast: config.training.keepCheckpoints,
    });
    const latest = isResumed ? await checkpoints.latestValid(validateCheckpoint) : undefined;
    for (const { path, reason } of latest?.rejected ?? []) say(`passed over ${path}: ${reason}`);
    const loaded = latest && loadCheckpoint(latest.path, training);
    if (!loaded) loadPretrained(training, config, say);
    const start = loaded?.facts.iteration ?? 0;
    checkpoints.discardAfter(start);
    appendEnvironment(run.paths.environment, environmentOf(config, data, isResumed ? start : undefined));
    using log = new RunLog(run.paths, isResumed ? { resumeAt: start } : {});
    log.log({
      kind: "run",
      iteration: 0,
      iterations: config.schedule.iterations,
      classes: [...data.train.classes],
      facts: facts(config, data),
    });
    await using loader = openLoader(config, data, start);
    await using comparator = openComparator(config, data, training, start);
    using progress = new Progress("train", config.schedule.iterations, {
      from: start,
      stream: stream ?? SILENT,
    });
    const trainer = new Trainer({
      config,
      training,
      loader,
      log,
      checkpoints,
      comparator,
      evaluate: evaluator(config, data, training, log),
      failurePath: join(folder, "failed.safetensors"),
      onProgress: (iteration, note) => progress.update(iteration, note),
      ...(signal && { signal }),
    });
    if (loaded) trainer.continueFrom(loaded.facts, loaded.extra);
    await trainer.run();
    const isComplete = trainer.iteration === config.schedule.iterations;
    if (isComplete && start < trainer.iteration) {
      for (const record of await drawSamples(folder, data.val, training, config, trainer.iteration))
        log.log(record);
    }
    log.flush();
    writeReport(folder);
    const evaluation = recordsOfKind(readMetrics(run.paths.metrics), "evaluation").at(-1) ?? null;
    return {
      folder,
      iteration: trainer.iteration,
      iterations: config.schedule.iterations,
      isComplete,
      evaluation,
    };
  } finally {
    training.dispose();
  }
}

function environmentOf(config: Config, data: TrainingData, resumedAt: number | undefined) {
  return collectEnvironment({
    versions: { libtorch: libtorchVersion() },
    details: { device: config.training.device satisfies Device, dataSet: data.fingerprint },
    ...(resumedAt !== undefined && { resumedAt }),
  });
}

/**
 * Trains from the beginning, in a new run folder.
 *
 * @throws If the folder holds a run already, the data are not fit to train on, or the training cannot go on.
 */
export async function startTraining(config: Config, control: RunControl): Promise<RunResult> {
  const resolved = checkConfig(config, "the configuration");
  using run = createRun(control.folder, stringify(resolved));
  return await trainInFolder(resolved, run, false, control);
}

/**
 * Continues the run of a folder from its newest readable checkpoint, bitwise as if it had never stopped.
 *
 * @throws If the folder holds no run or is in use.
 */
export async function resumeTraining(control: RunControl): Promise<RunResult> {
  using run = resumeRun(control.folder);
  return await trainInFolder(readConfig(run.paths.config), run, true, control);
}
