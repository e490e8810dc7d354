import { join } from "node:path";
import { libtorchVersion, manualSeed } from "@armseg/torch";
import {
  buildBaseline,
  buildTraining,
  onOwnDevice,
  type TrainingObjects,
  trainerSettings,
} from "../config/build.ts";
import { prepareData, type TrainingData } from "../config/build-data.ts";
import { buildEvaluation, type EvaluationSettings } from "../config/build-evaluation.ts";
import { buildLoader } from "../config/build-loaders.ts";
import { loadPretrained } from "../config/load-pretrained.ts";
import { withMemoryFormat } from "../config/memory-format.ts";
import { requireWeights } from "../config/pretrained.ts";
import { checkConfig } from "../config/read-config.ts";
import { readRunConfig, runConfigText } from "../config/read-run-config.ts";
import type { Config } from "../config/schema.ts";
import { Progress, type ProgressStream } from "../core/progress.ts";
import { type DistributedContext, distributedContext } from "../distributed/context.ts";
import { CheckpointIndex } from "../runs/checkpoint-index.ts";
import { collectEnvironment, type Environment } from "../runs/environment.ts";
import { readMetrics } from "../runs/metrics.ts";
import { type EvaluationRecord, type RunRecord, recordsOfKind } from "../runs/records.ts";
import {
  createRun,
  hasTrainedState,
  isRun,
  type RunFolder,
  type RunPaths,
  resumeRun,
  runPaths,
} from "../runs/run-folder.ts";
import { loadCheckpoint, validateCheckpoint } from "../training/checkpoint.ts";
import { withAverages } from "../training/ema.ts";
import { Trainer } from "../training/trainer.ts";
import { prepareProcess } from "./prepare-process.ts";
import { drawSamples } from "./report-samples.ts";
import { NO_OUTPUT, openOutput, type RunOutput } from "./run-output.ts";
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

/**
 * Trains from the beginning, in a new run folder or one whose run never came to a checkpoint; as one process of several where
 * the environment says so.
 *
 * @throws If the folder holds a run with a checkpoint, the data are not fit to train on, or the training cannot go on.
 */
export async function startTraining(config: Config, control: RunControl): Promise<RunResult> {
  const context = distributedContext();
  const checked = checkConfig(config, "the configuration");
  const resolved = await mainFirst(context, async () => withMemoryFormat(checked, speaker(context, control)));
  const isAgain = isRun(control.folder);
  using _run = openFolder(context, () => createRun(control.folder, runConfigText(resolved)));
  if (isAgain) {
    const say = speaker(context, control);
    say(`${control.folder}: an earlier start left no checkpoint; this one begins afresh`);
  }
  return await trainInFolder(await openSession(resolved, false, context, control));
}

/**
 * Continues the run of a folder from its newest readable checkpoint, bitwise as if it had never stopped.
 *
 * @throws If the folder holds no run, is in use, or was trained by another number of processes.
 */
export async function resumeTraining(control: RunControl): Promise<RunResult> {
  const context = distributedContext();
  using _run = openFolder(context, () => resumeRun(control.folder));
  const { config: file } = runPaths(control.folder);
  const config = readRunConfig(control.folder);
  if (!hasTrainedState(control.folder)) {
    const say = speaker(context, control);
    say(
      `${control.folder} has no checkpoint: it begins at 0, by its own ${file}; without --resume it takes yours`,
    );
  }
  return await trainInFolder(await openSession(config, true, context, control));
}

/** The main process opens the run while the others wait. */
function openFolder(context: DistributedContext, open: () => RunFolder): RunFolder | null {
  const run = context.isMain ? open() : null;
  context.barrier();
  return run;
}

/** A run folder that is open, with what is trained on. */
interface Session {
  /** As it is kept in the folder. */
  readonly given: Config;
  /** As this process trains it: on a device of its own. */
  readonly config: Config;
  readonly isResumed: boolean;
  readonly context: DistributedContext;
  readonly paths: RunPaths;
  readonly data: TrainingData;
  readonly evaluation: EvaluationSettings;
  readonly signal: AbortSignal | undefined;
  readonly stream: ProgressStream;
  readonly say: (text: string) => void;
}

const SILENT: ProgressStream = { write: () => true };

/** Where a process writes of its progress: of several, the main one alone does. */
function streamOf({ isMain }: DistributedContext, { stream = process.stderr }: RunControl): ProgressStream {
  return (isMain ? stream : null) ?? SILENT;
}

function speaker(context: DistributedContext, control: RunControl): (text: string) => void {
  const stream = streamOf(context, control);
  return (text) => void stream.write(`${text}\n`);
}

async function openSession(
  given: Config,
  isResumed: boolean,
  context: DistributedContext,
  control: RunControl,
): Promise<Session> {
  const { signal, folder } = control;
  const stream = streamOf(context, control);
  const say = speaker(context, control);
  const config = onOwnDevice(given, context);
  const paths = runPaths(folder);
  const evaluation = buildEvaluation(config);
  if (!isResumed) requireWeights(config);
  prepareProcess(config, say);
  const prepare = () => prepareData(config, { cacheFolder: join(folder, "cache"), say });
  const data = await mainFirst(context, prepare);
  return { given, config, isResumed, context, paths, data, evaluation, signal, stream, say };
}

/** Runs `body` on the main process, then on the others: what the main one makes on the disk, the others find. */
async function mainFirst<T>(context: DistributedContext, body: () => Promise<T>): Promise<T> {
  if (!context.isMain) context.barrier();
  const result = await body();
  if (context.isMain) context.barrier();
  return result;
}

/** Everything between an open run folder and the last iteration; on every process. */
async function trainInFolder(session: Session): Promise<RunResult> {
  const { config, context, data, signal, stream } = session;
  const { iterations } = config.schedule;
  const classes = data.train.classes.length;
  const training = buildTraining(config, { classes, classWeights: data.classWeights }, context);
  try {
    const { loaded, output: opened } = await restore(session, training);
    const start = loaded?.facts.iteration ?? 0;
    using output = opened;
    output.log(runRecord(session));
    await using loader = buildLoader(config, data, start, context);
    await using baseline = buildBaseline(config, data, training, start);
    using progress = new Progress("train", iterations, { from: start, stream });
    const trainer = new Trainer({
      ...training,
      ...trainerSettings(config),
      data: loader,
      baseline,
      log: output,
      checkpoints: output.checkpoints,
      evaluate: (iteration) => evaluate(session, training, output, iteration),
      onProgress: (iteration, note) => progress.update(iteration, note),
      ...(signal && { signal }),
    });
    if (loaded) trainer.continueFrom(loaded.facts, loaded.extra);
    await trainer.run();
    if (trainer.isComplete && start < iterations) await addSamples(session, training, output);
    finish(session, output);
    return resultOf(session, trainer);
  } finally {
    training.dispose();
  }
}

/** Puts the training into its state at the start: the newest checkpoint's, or fresh. Then the main process may write. */
async function restore(session: Session, training: TrainingObjects) {
  const { config, context, paths, isResumed, say } = session;
  const checkpoints = new CheckpointIndex(paths.checkpoints, { keepLast: config.training.keepCheckpoints });
  const latest = isResumed ? await checkpoints.latestValid(validateCheckpoint) : undefined;
  for (const { path, reason } of latest?.rejected ?? []) say(`passed over ${path}: ${reason}`);
  const loaded = latest ? loadCheckpoint(latest.path, training, context) : null;
  if (!loaded) await initialise(session, training);
  context.barrier(); // all have read; from here on the main process writes
  const resumedAt = isResumed ? (loaded?.facts.iteration ?? 0) : undefined;
  const output = context.isMain
    ? openOutput(paths, checkpoints, environmentOf(session, resumedAt), resumedAt)
    : NO_OUTPUT;
  return { loaded, output };
}

/** Pretrained weights; of several processes, all get the main one's parameters, and random numbers of their own. */
async function initialise({ config, context, say }: Session, training: TrainingObjects): Promise<void> {
  const { network, curve } = training;
  await loadPretrained(training, config, say);
  context.broadcast_([...network.stateDict().values(), ...(curve?.stateDict().values() ?? [])]);
  if (context.worldSize > 1) manualSeed(config.training.seed + context.rank);
}

function environmentOf({ config, data, paths }: Session, resumedAt: number | undefined): Environment {
  return collectEnvironment({
    versions: { libtorch: libtorchVersion() },
    details: { device: config.training.device, dataSet: data.fingerprint },
    runFolder: paths.folder,
    ...(resumedAt !== undefined && { resumedAt }),
  });
}

/** Scores the network during the training, with the averages' weights where there are any. */
async function evaluate(
  { config, data, evaluation, context }: Session,
  { network, ema }: TrainingObjects,
  output: RunOutput,
  iteration: number,
): Promise<EvaluationRecord> {
  const result = await withAverages(network, ema, () =>
    validate({ settings: evaluation, dataset: data.val, network, context }),
  );
  const record = evaluationRecord(
    result,
    iteration,
    data.val.split,
    iteration === config.schedule.iterations,
  );
  output.log(record);
  return record;
}

/** Draws samples for the report, with the weights that were scored. */
async function addSamples(
  { config, data, evaluation, context, paths }: Session,
  { network, curve, ema }: TrainingObjects,
  output: RunOutput,
): Promise<void> {
  if (!context.isMain) return;
  const { iterations } = config.schedule;
  const draw = () => drawSamples(paths.folder, data.val, { network, curve }, evaluation, iterations);
  for (const record of await withAverages(network, ema, draw)) output.log(record);
}

function finish({ context }: Session, output: RunOutput): void {
  output.flush();
  output.writeReport();
  context.barrier(); // the folder is as it will stay
}

function resultOf({ config, context, paths }: Session, { iteration, isComplete }: Trainer): RunResult {
  return {
    folder: paths.folder,
    iteration,
    iterations: config.schedule.iterations,
    processes: context.worldSize,
    isComplete,
    evaluation: recordsOfKind(readMetrics(paths.metrics), "evaluation").at(-1) ?? null,
  };
}

/** The first line of the log. */
function runRecord(session: Session): RunRecord {
  const { config, data } = session;
  const { iterations } = config.schedule;
  return { kind: "run", iteration: 0, iterations, classes: [...data.train.classes], facts: factsOf(session) };
}

/** Lines for the head of the report. */
function factsOf({ given, data, context: { worldSize } }: Session): Record<string, string> {
  const { model, loss, reweighting, optimizer, schedule, training } = given;
  const curve =
    reweighting.curve === "none"
      ? reweighting.baseline
      : `${reweighting.curve}, ${reweighting.indicator}, p = ${reweighting.p}`;
  return {
    data: `${data.train.name}: ${data.train.samples.length} to train on (${data.train.split}), ${data.val.samples.length} to validate on`,
    network: `${model.head} on ${model.backbone}, output stride ${model.outputStride}`,
    loss: `${loss.pixelLoss}${loss.ohem ? ", OHEM" : ""}, auxiliary ${model.auxiliaryHead ? loss.auxiliaryWeight : "none"}`,
    reweighting: curve,
    ...(reweighting.curve === "arm" && {
      "curve's learning rate": `${-reweighting.learningRateMultiplier} x the network's`,
    }),
    training: `${schedule.iterations} iterations, ${training.batchSize * optimizer.accumulate * worldSize} samples per update, ${optimizer.type} ${optimizer.learningRate}, seed ${training.seed}`,
    device: `${training.device}, ${training.precision}${worldSize > 1 ? `, ${worldSize} processes` : ""}`,
  };
}
