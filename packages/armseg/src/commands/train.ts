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
import { loadFromRun } from "../config/load-from-run.ts";
import { loadPretrained } from "../config/load-pretrained.ts";
import { withMeasuredModel } from "../config/measured-model.ts";
import { requireWeights } from "../config/pretrained.ts";
import { checkConfig } from "../config/read-config.ts";
import { readRunConfig, runConfigText } from "../config/read-run-config.ts";
import type { Config } from "../config/schema.ts";
import { withFirstError } from "../core/first-error.ts";
import { curveRange, flatCurveText } from "../core/flat-curve.ts";
import { printable } from "../core/printable.ts";
import { Progress, type ProgressStream } from "../core/progress.ts";
import { lastTaught, type TeachingSchedule, teachingSchedule } from "../correction/teaching-schedule.ts";
import { type DistributedContext, distributedContext, mainFirst } from "../distributed/context.ts";
import { ReplaceableLoader } from "../pipeline/index.ts";
import { type Curve, isLearnable } from "../reweighting/index.ts";
import { CheckpointIndex } from "../runs/checkpoint-index.ts";
import { collectEnvironment, type Environment } from "../runs/environment.ts";
import { readMetrics } from "../runs/metrics.ts";
import { bestEvaluation } from "../runs/read-run.ts";
import {
  type EvaluationRecord,
  type RunRecord,
  recordsOfKind,
  type TeachingRecord,
} from "../runs/records.ts";
import {
  createRun,
  hasTrainedState,
  isRun,
  type RunFolder,
  type RunPaths,
  requireRun,
  resumeRun,
  runPaths,
} from "../runs/run-folder.ts";
import { loadCheckpoint, validateCheckpoint } from "../training/checkpoint.ts";
import { EarlyStopping } from "../training/early-stopping.ts";
import { withAverages } from "../training/ema.ts";
import type { Schedule } from "../training/schedule.ts";
import { Trainer } from "../training/trainer.ts";
import { estimateCoverage } from "./estimate-coverage.ts";
import { prepareProcess } from "./prepare-process.ts";
import { drawSamples, sampleCount } from "./report-samples.ts";
import { banner, runFacts } from "./run-facts.ts";
import { NO_OUTPUT, openOutput, type RunOutput } from "./run-output.ts";
import { taughtDataset, teach } from "./teach.ts";
import { TimeEstimate } from "./time-estimate.ts";
import { evaluationRecord, validate } from "./validate.ts";

export interface RunControl {
  /** Folder of the run. */
  readonly folder: string;
  /** Ends the training after the iteration in hand; everything is then in a checkpoint. */
  readonly signal?: AbortSignal;
  /** Where progress goes; `null` for none. Default: standard error. */
  readonly stream?: ProgressStream | null;
  /** What progress lines begin with. Default `train`. */
  readonly title?: string;
  /** Draws samples and writes the report at every evaluation, so that there is something to look at early. Default: at the end. */
  readonly reportsEarly?: boolean;
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
  /** Those of the best mIoU: `eval` and `predict` take that checkpoint. */
  readonly best: EvaluationRecord | null;
}

/**
 * Trains from the beginning, in a new run folder or one whose run never came to a checkpoint; as one process of several where
 * the environment says so.
 *
 * @throws If the folder holds a run with a checkpoint, the data are not fit to train on, or the training cannot go on.
 */
export function startTraining(config: Config, control: RunControl): Promise<RunResult> {
  return withFirstError(() => start(config, control));
}

async function start(config: Config, control: RunControl): Promise<RunResult> {
  const context = distributedContext();
  const checked = checkConfig(config, "the configuration");
  const measured = await mainFirst(context, async () =>
    withMeasuredModel(checked, speaker(context, control)),
  );
  // One choice for all: what another process reads of the measurements may be lost by now, and measured otherwise.
  const model = context.gather(measured.model)[0] as Config["model"];
  const resolved = { ...measured, model };
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
export function resumeTraining(control: RunControl): Promise<RunResult> {
  return withFirstError(() => resume(control));
}

async function resume(control: RunControl): Promise<RunResult> {
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
  /** What the run is, in rows. */
  readonly facts: Readonly<Record<string, string>>;
  readonly title: string;
  readonly reportsEarly: boolean;
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
  return (text) => void stream.write(`${printable(text)}\n`);
}

const CORRECTED_TWICE =
  "correction.coverageOffset and loss.classWeights both raise classes that are labelled seldom; measure each alone too";

async function openSession(
  given: Config,
  isResumed: boolean,
  context: DistributedContext,
  control: RunControl,
): Promise<Session> {
  const { signal, folder, title = "train", reportsEarly = false } = control;
  const stream = streamOf(context, control);
  const say = speaker(context, control);
  const config = onOwnDevice(given, context);
  const paths = runPaths(folder);
  const evaluation = buildEvaluation(config);
  if (!isResumed && config.training.from === null) requireWeights(config);
  prepareProcess(config, say);
  if (config.correction.coverageOffset && config.loss.classWeights !== "none") say(CORRECTED_TWICE);
  const prepare = () => prepareData(config, { cacheFolder: paths.cache, say, stream });
  const data = await mainFirst(context, prepare);
  const facts = runFacts(given, data, context.worldSize);
  return {
    given,
    config,
    isResumed,
    context,
    paths,
    data,
    evaluation,
    signal,
    facts,
    title,
    reportsEarly,
    stream,
    say,
  };
}

/** Everything between an open run folder and the last iteration; on every process. */
async function trainInFolder(session: Session): Promise<RunResult> {
  const { config, context, data, signal, stream, title } = session;
  const { iterations } = config.schedule;
  const classes = data.train.classes.length;
  const training = buildTraining(config, { classes, classWeights: data.classWeights }, context);
  try {
    session.say(banner(session.paths.folder, session.facts));
    const { loaded, output: opened } = await restore(session, training);
    const start = loaded?.facts.iteration ?? 0;
    using output = opened;
    output.log(runRecord(session, training));
    const teaching = teachingOf(session);
    const atStart = teaching ? asTaught(session, lastTaught(teaching, start)) : data;
    await using loader = new ReplaceableLoader(buildLoader(config, atStart, start, context));
    let { train } = atStart;
    await using baseline = buildBaseline(config, data, training, start);
    using progress = new Progress(title, iterations, { from: start, stream });
    const estimate = new TimeEstimate(start, iterations);
    const earlyStopping = earlyStoppingOf(session, start);
    const trainer = new Trainer({
      ...training,
      ...trainerSettings(config),
      data: loader,
      baseline,
      log: output,
      checkpoints: output.checkpoints,
      earlyStopping,
      evaluate: async (iteration) => {
        const record = await evaluate(session, training, output, iteration, earlyStopping);
        progress.print(evaluationLine(title, record));
        if (session.reportsEarly && iteration < iterations)
          await reportEarly(session, training, output, iteration);
        return record;
      },
      estimateCoverage: async (iteration) =>
        output.log(await estimateCoverage(training, session.evaluation, train, iteration)),
      teaching: teaching && {
        iterations: teaching.iterations,
        teach: async (iteration) => {
          progress.print(`${title}: the network looks at the labels, at iteration ${iteration}`);
          const { evaluation, paths } = session;
          requireRun(paths.folder);
          const record = await teach(
            training,
            evaluation,
            config.correction,
            data.train,
            paths.taught,
            iteration,
          );
          output.log(record);
          progress.print(`${title}: ${teachingLine(record)}`);
          const taught = asTaught(session, iteration);
          train = taught.train;
          await loader.replace(buildLoader(config, taught, iteration, context));
        },
      },
      onProgress: (iteration, note) => {
        const known = estimate.after(iteration);
        if (known) progress.print(`${title}: ${known}`);
        progress.update(iteration, note);
      },
      ...(signal && { signal }),
    });
    if (loaded) trainer.continueFrom(loaded.facts, loaded.extra);
    await trainer.run();
    if (trainer.isComplete) await complete(session, training, output, trainer.iteration);
    finish(session, output);
    return resultOf(session, trainer);
  } finally {
    training.dispose();
  }
}

/** When the network looks at the labels; `null` where it never does. */
function teachingOf({ config: { correction, schedule } }: Session): TeachingSchedule | null {
  const isNeeded = correction.teacher || correction.relabel !== "none";
  return isNeeded ? teachingSchedule(schedule.iterations, correction) : null;
}

/** The data with the labels of a round of teaching; `null` for the annotators' own. */
function asTaught({ data, paths }: Session, round: number | null): TrainingData {
  return round === null ? data : { ...data, train: taughtDataset(data.train, paths.taught, round) };
}

function teachingLine({ drawn, changed, filled, void: rest }: TeachingRecord): string {
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const [was, now] = [sum(drawn), sum(filled)];
  const percent = (part: number) => ((100 * part) / (was + now + rest)).toFixed(1);
  return `${percent(was)} % of the pixels are drawn (${percent(sum(changed))} % changed by the network), ${percent(now)} % filled by it, ${percent(rest)} % stay void`;
}

function evaluationLine(title: string, { iteration, mIoU, split }: EvaluationRecord): string {
  const score = Number.isNaN(mIoU) ? "not measurable" : `${(100 * mIoU).toFixed(2)} %`;
  return `${title}: iteration ${iteration}, mIoU ${score} on ${split}`;
}

/** Of a resumed run, with the scores up to its checkpoint. */
function earlyStoppingOf({ config, paths }: Session, start: number): EarlyStopping | null {
  const { patience } = config.training;
  if (patience === null) return null;
  const before = recordsOfKind(readMetrics(paths.metrics), "evaluation").filter(
    ({ iteration }) => iteration <= start,
  );
  return new EarlyStopping(
    patience,
    before.map(({ mIoU }) => mIoU),
  );
}

/** Puts the training into its state at the start: the newest checkpoint's, or fresh. Then the main process may write. */
async function restore(session: Session, training: TrainingObjects) {
  const { config, context, paths, isResumed, say } = session;
  requireRun(paths.folder); // preparing the data takes long
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
  const { from } = config.training;
  if (from === null) await loadPretrained(training, config, say);
  else loadFromRun(training, from, say);
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
  earlyStopping: EarlyStopping | null,
): Promise<EvaluationRecord> {
  const result = await withAverages(network, ema, () =>
    validate({ settings: evaluation, dataset: data.val, network, context }),
  );
  const isLast =
    iteration === config.schedule.iterations || (earlyStopping?.endsWith(result.metrics.mIoU) ?? false);
  const record = evaluationRecord(result, iteration, data.val.split, isLast);
  output.log(record);
  return record;
}

/** Draws samples for the report, with the weights that were scored; those that the log has already stay as they are. */
async function addSamples(
  { data, evaluation, paths }: Session,
  { network, curve, ema }: TrainingObjects,
  output: RunOutput,
  iteration: number,
): Promise<void> {
  requireRun(paths.folder);
  const before = recordsOfKind(readMetrics(paths.metrics), "sample");
  const drawn = new Set(before.filter((sample) => sample.iteration === iteration).map(({ name }) => name));
  if (drawn.size === sampleCount(data.val)) return;
  const draw = () => drawSamples(paths.folder, data.val, { network, curve }, evaluation, iteration);
  for (const record of await withAverages(network, ema, draw))
    if (!drawn.has(record.name)) output.log(record);
}

/** Writes the report of a training that goes on. */
async function reportEarly(
  session: Session,
  training: TrainingObjects,
  output: RunOutput,
  iteration: number,
): Promise<void> {
  if (!session.context.isMain) return;
  await addSamples(session, training, output, iteration);
  output.flush();
  output.writeReport();
  session.say(`A first look, at iteration ${iteration}: ${session.paths.report}`);
}

/**
 * What is done once, after the last iteration: samples for the report, drawn with the weights that were scored, and notes. A
 * run that was killed here and is resumed gets what is missing.
 */
async function complete(
  session: Session,
  training: TrainingObjects,
  output: RunOutput,
  iteration: number,
): Promise<void> {
  const { config, context, paths, say } = session;
  if (!context.isMain) return;
  await addSamples(session, training, output, iteration);
  const notes = [
    ...(iteration < config.schedule.iterations
      ? [["earlyStop", earlyStopText(config, iteration)] as const]
      : []),
    ...flatCurveNote(paths, training.curve),
  ];
  const before = recordsOfKind(readMetrics(paths.metrics), "event").filter(
    (past) => past.iteration === iteration,
  );
  for (const [event, message] of notes) {
    if (before.some((past) => past.event === event && past.message === message)) continue;
    output.log({ kind: "event", iteration, event, message });
    say(message);
  }
}

function earlyStopText({ training, schedule }: Config, iteration: number): string {
  return `ended early, after ${iteration} of ${schedule.iterations} iterations: no better mIoU in ${training.patience} evaluations (training.patience)`;
}

function flatCurveNote(paths: RunPaths, curve: Curve | null): (readonly ["note", string])[] {
  const last = recordsOfKind(readMetrics(paths.metrics), "curve").at(-1);
  if (!isLearnable(curve) || !last) return [];
  const range = curveRange(last.weights);
  return range.isFlat ? [["note", flatCurveText(range)]] : [];
}

function finish({ context }: Session, output: RunOutput): void {
  output.flush();
  output.writeReport();
  context.barrier(); // the folder is as it will stay
}

function resultOf({ config, context, paths }: Session, { iteration, isComplete }: Trainer): RunResult {
  const scores = recordsOfKind(readMetrics(paths.metrics), "evaluation");
  return {
    folder: paths.folder,
    iteration,
    iterations: config.schedule.iterations,
    processes: context.worldSize,
    isComplete,
    evaluation: scores.at(-1) ?? null,
    best: bestEvaluation(scores),
  };
}

/** The first line of the log. */
function runRecord({ config, data, facts }: Session, { schedule, curve }: TrainingObjects): RunRecord {
  const { iterations } = config.schedule;
  return {
    kind: "run",
    iteration: 0,
    iterations,
    classes: [...data.train.classes],
    ...(isLearnable(curve) && { jointFrom: firstJointIteration(schedule) }),
    facts,
  };
}

/** Counted as records count: the first update is 1. */
function firstJointIteration({ iterations, phase }: Schedule): number {
  let isolated = 0;
  while (isolated < iterations && phase(isolated) === "isolated") isolated++;
  return isolated + 1;
}
