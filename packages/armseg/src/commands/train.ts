import { join } from "node:path";
import type { Device } from "@armseg/torch";
import {
  keepFreedMemory,
  libtorchVersion,
  manualSeed,
  useCudnnBenchmark,
  useDeterministicAlgorithms,
} from "@armseg/torch";
import { stringify } from "yaml";
import { openComparator } from "../baselines/comparator.ts";
import { buildTraining, type Training } from "../config/build.ts";
import { openLoader } from "../config/open-loader.ts";
import { ofOwnDevice } from "../config/own-device.ts";
import { prepareData, type TrainingData } from "../config/prepare-data.ts";
import { checkConfig, readConfig } from "../config/read-config.ts";
import type { Config } from "../config/schema.ts";
import { Progress, type ProgressStream } from "../core/progress.ts";
import { World } from "../distributed/world.ts";
import { writeReport } from "../report/write-report.ts";
import { CheckpointIndex } from "../runs/checkpoint-index.ts";
import { appendEnvironment, collectEnvironment } from "../runs/environment.ts";
import { readMetrics } from "../runs/metrics.ts";
import { type EvaluationRecord, type MetricsRecord, recordsOfKind } from "../runs/records.ts";
import { createRun, type RunFolder, type RunPaths, resumeRun, runPaths } from "../runs/run-folder.ts";
import { RunLog } from "../runs/run-log.ts";
import { loadCheckpoint, validateCheckpoint } from "../training/checkpoint.ts";
import { Trainer } from "../training/trainer.ts";
import { loadPretrained } from "./pretrained.ts";
import { drawSamples } from "./report-samples.ts";
import { warnOfSlowPrecision } from "./slow-precision.ts";
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
  /** Processes that trained together. */
  readonly processes: number;
  readonly isComplete: boolean;
  /** The last scores, if there are any. */
  readonly evaluation: EvaluationRecord | null;
}

const SILENT: ProgressStream = { write: () => true };

/** In place of the first process's, on the others. */
const NO_LOG = { log: (_: MetricsRecord) => {}, flush: () => {} };
const NO_CHECKPOINTS = { save: async () => "" };

/** Lines for the head of the report. */
function facts(config: Config, data: TrainingData, processes: number): Record<string, string> {
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
    ...(reweighting.curve === "arm" && {
      "curve's learning rate": `${-reweighting.learningRateMultiplier} x the network's`,
    }),
    training: `${schedule.iterations} iterations, ${training.batchSize * optimizer.accumulate * processes} a batch, ${optimizer.type} ${optimizer.learningRate}, seed ${training.seed}`,
    device: `${training.device}, ${training.precision}${processes > 1 ? `, ${processes} processes` : ""}`,
  };
}

function prepareProcess(config: Config): void {
  keepFreedMemory();
  useDeterministicAlgorithms(config.training.deterministic);
  useCudnnBenchmark(!config.training.deterministic); // crops have one size
  manualSeed(config.training.seed);
}

/** Evaluation during the training, with the moving average's weights where there is one. */
function evaluator(config: Config, data: TrainingData, training: Training, log: Pick<RunLog, "log">) {
  const world = training.joint?.world ?? null;
  return async (iteration: number): Promise<EvaluationRecord> => {
    const score = () => validate({ config, dataset: data.val, network: training.network, world });
    const outcome = training.ema ? await training.ema.apply(training.network, score) : await score();
    const isLast = iteration === config.schedule.iterations;
    const record = evaluationRecord(outcome, iteration, data.val.split, isLast);
    log.log(record);
    return record;
  };
}

/** Runs `body` on the first process, then on the others: what the first one makes on the disk, the others find. */
async function firstAlone<T>(world: World | null, body: () => Promise<T>): Promise<T> {
  if (world && !world.isFirst) world.meet();
  const result = await body();
  if (world?.isFirst) world.meet();
  return result;
}

/** A run folder and who trains in it. */
interface Place {
  readonly paths: RunPaths;
  readonly isResumed: boolean;
  readonly world: World | null;
}

/** Everything between an open run folder and the last iteration; on every process. */
async function trainInFolder(given: Config, place: Place, control: RunControl): Promise<RunResult> {
  const { paths, isResumed, world } = place;
  const isFirst = world?.isFirst ?? true;
  const { signal, stream: ownStream = process.stderr } = control;
  const stream = isFirst ? ownStream : null;
  const say = (text: string) => stream?.write(`${text}\n`);
  const config = ofOwnDevice(given, world);
  prepareProcess(config);
  if (isFirst) warnOfSlowPrecision(config.training, say);
  const prepare = () => prepareData(config, { cacheFolder: join(paths.folder, "cache"), say });
  const data = await firstAlone(world, prepare);
  const training = buildTraining(config, data.train.classes.length, data.classWeights, world);
  try {
    const checkpoints = new CheckpointIndex(paths.checkpoints, {
      keepLast: config.training.keepCheckpoints,
    });
    const latest = isResumed ? await checkpoints.latestValid(validateCheckpoint) : undefined;
    for (const { path, reason } of latest?.rejected ?? []) say(`passed over ${path}: ${reason}`);
    const loaded = latest && loadCheckpoint(latest.path, training, world);
    if (!loaded) loadPretrained(training, config, say);
    if (!loaded && world) joinStates(training, config, world);
    const start = loaded?.facts.iteration ?? 0;
    world?.meet(); // all have read; from here on the first one writes
    if (isFirst) {
      checkpoints.discardAfter(start);
      appendEnvironment(paths.environment, environmentOf(config, data, isResumed ? start : undefined));
    }
    using runLog = isFirst ? new RunLog(paths, isResumed ? { resumeAt: start } : {}) : null;
    const log = runLog ?? NO_LOG;
    log.log({
      kind: "run",
      iteration: 0,
      iterations: config.schedule.iterations,
      classes: [...data.train.classes],
      facts: facts(given, data, world?.size ?? 1),
    });
    await using loader = openLoader(config, data, start, world);
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
      checkpoints: isFirst ? checkpoints : NO_CHECKPOINTS,
      comparator,
      evaluate: evaluator(config, data, training, log),
      failurePath: join(paths.folder, "failed.safetensors"),
      onProgress: (iteration, note) => progress.update(iteration, note),
      ...(signal && { signal }),
    });
    if (loaded) trainer.continueFrom(loaded.facts, loaded.extra);
    await trainer.run();
    const isComplete = trainer.iteration === config.schedule.iterations;
    if (isFirst && isComplete && start < trainer.iteration) {
      const samples = await drawSamples(paths.folder, data.val, training, config, trainer.iteration);
      for (const record of samples) log.log(record);
    }
    log.flush();
    if (isFirst) writeReport(paths.folder);
    world?.meet(); // the folder is as it will stay
    const evaluation = recordsOfKind(readMetrics(paths.metrics), "evaluation").at(-1) ?? null;
    return {
      folder: paths.folder,
      iteration: trainer.iteration,
      iterations: config.schedule.iterations,
      processes: world?.size ?? 1,
      isComplete,
      evaluation,
    };
  } finally {
    training.dispose();
  }
}

/** Gives every process the first one's parameters, and random numbers of its own. */
function joinStates({ network, curve }: Training, config: Config, world: World): void {
  world.takeFromFirst([...network.stateDict().values(), ...(curve?.stateDict().values() ?? [])]);
  manualSeed(config.training.seed + world.rank);
}

/** The first process opens the run while the others wait. */
function openRun(world: World | null, open: () => RunFolder): RunFolder | null {
  const run = (world?.isFirst ?? true) ? open() : null;
  world?.meet();
  return run;
}

function environmentOf(config: Config, data: TrainingData, resumedAt: number | undefined) {
  return collectEnvironment({
    versions: { libtorch: libtorchVersion() },
    details: { device: config.training.device satisfies Device, dataSet: data.fingerprint },
    ...(resumedAt !== undefined && { resumedAt }),
  });
}

/**
 * Trains from the beginning, in a new run folder; as one process of several where the environment says so.
 *
 * @throws If the folder holds a run already, the data are not fit to train on, or the training cannot go on.
 */
export async function startTraining(config: Config, control: RunControl): Promise<RunResult> {
  const resolved = checkConfig(config, "the configuration");
  const world = World.ofThisProcess();
  const paths = runPaths(control.folder);
  using _run = openRun(world, () => createRun(control.folder, stringify(resolved)));
  return await trainInFolder(resolved, { paths, isResumed: false, world }, control);
}

/**
 * Continues the run of a folder from its newest readable checkpoint, bitwise as if it had never stopped.
 *
 * @throws If the folder holds no run, is in use, or was trained by another number of processes.
 */
export async function resumeTraining(control: RunControl): Promise<RunResult> {
  const world = World.ofThisProcess();
  const paths = runPaths(control.folder);
  using _run = openRun(world, () => resumeRun(control.folder));
  return await trainInFolder(readConfig(paths.config), { paths, isResumed: true, world }, control);
}
