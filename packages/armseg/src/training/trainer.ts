import { setImmediate as turnOfTheEventLoop } from "node:timers/promises";
import { tidy } from "@armseg/torch";
import type { Comparator } from "../baselines/comparator.ts";
import type { Training } from "../config/build.ts";
import type { Config } from "../config/schema.ts";
import { NonFiniteLogitsError } from "../evaluation/index.ts";
import type { Batch, Loader } from "../pipeline/index.ts";
import { isLearnable, phaseAt } from "../reweighting/index.ts";
import type { CheckpointIndex } from "../runs/checkpoint-index.ts";
import type { EvaluationRecord, EventRecord } from "../runs/records.ts";
import type { RunLog } from "../runs/run-log.ts";
import { type CheckpointFacts, generatorStates, saveCheckpoint } from "./checkpoint.ts";
import { CurveLog } from "./curve-log.ts";
import { learningRateFactor } from "./schedule.ts";
import { type IterationResult, trainIteration } from "./step.ts";

/** Where a training writes and what it asks; the loop itself touches no file and no data set. */
export interface TrainerParts {
  readonly config: Config;
  readonly training: Training;
  readonly loader: Loader;
  /** Of several processes, the first one's alone write anything. */
  readonly log: Pick<RunLog, "log" | "flush">;
  readonly checkpoints: Pick<CheckpointIndex, "save">;
  /** Weighs the pixels in place of a curve. */
  readonly comparator?: Comparator | null;
  /** Scores the network as it is, and logs the scores. */
  readonly evaluate: (iteration: number) => Promise<EvaluationRecord>;
  /** Where the state is kept for inspection when the run must stop. */
  readonly failurePath: string;
  readonly onProgress?: (iteration: number, note: string) => void;
  readonly signal?: AbortSignal;
}

/** The training cannot go on; the message says why and where its state was kept. */
export class TrainingError extends Error {
  override readonly name = "TrainingError";
  readonly code = "ERR_TRAINING";
}

/** Records of the curve over a whole training: enough to see it move. */
const CURVE_RECORDS = 40;

/** Labelled pixels have a mean loss above 0, whatever their weights. */
function emptyEvent({ meanLoss }: IterationResult): Pick<EventRecord, "event" | "message"> {
  return meanLoss === 0
    ? { event: "emptyBatch", message: "no pixel of the batch is labelled; the loss is 0" }
    : { event: "zeroWeight", message: "every pixel of the batch has weight 0; the loss is 0" };
}

/** Iterations at which something happens that is not training. */
function intervals({ schedule, training }: Config): { evaluate: number; checkpoint: number; curve: number } {
  const tenth = Math.max(1, Math.round(schedule.iterations / 10));
  return {
    evaluate: training.evaluateEvery ?? tenth,
    checkpoint: training.checkpointEvery ?? tenth,
    curve: Math.max(1, Math.round(schedule.iterations / CURVE_RECORDS)),
  };
}

/**
 * The training loop: from one iteration to the last, or until the signal.
 *
 * An iteration is a pure function of the state in its checkpoint and of its number: data, augmentation, phase and learning
 * rate are functions of the number, and dropout's generator is in the state. That is what makes resuming bitwise.
 */
export class Trainer {
  readonly #parts: TrainerParts;
  readonly #curveLog = new CurveLog();
  readonly #intervals: ReturnType<typeof intervals>;
  #iteration = 0;
  #skipped = 0;
  #skippedInARow = 0;
  #saved = -1;
  #timing = { since: performance.now(), iterations: 0, dataMs: 0 };

  constructor(parts: TrainerParts) {
    this.#parts = parts;
    this.#intervals = intervals(parts.config);
  }

  /** Updates done. */
  get iteration(): number {
    return this.#iteration;
  }

  /** Goes on from a checkpoint that was loaded into the training's objects. */
  continueFrom(facts: CheckpointFacts, extra: ReadonlyMap<string, readonly number[]>): void {
    this.#iteration = facts.iteration;
    this.#saved = facts.iteration;
    this.#skipped = facts.skipped;
    this.#skippedInARow = facts.skippedInARow;
    const bins = extra.get("bins");
    if (bins) this.#curveLog.loadState(bins);
    const comparator = extra.get("comparator");
    if (comparator) this.#parts.comparator?.loadState(comparator);
  }

  /**
   * Trains until the last iteration or the signal; either way everything is in the last checkpoint.
   *
   * @throws {TrainingError} If too many losses in a row were not finite, or a prediction in an evaluation is not.
   */
  async run(): Promise<void> {
    const { schedule } = this.#parts.config;
    while (this.#iteration < schedule.iterations && !this.#isStopped()) {
      const result = await this.#iterate();
      this.#iteration += 1;
      this.#record(result);
      const isLast = this.#iteration === schedule.iterations;
      const metric = isLast || this.#is(this.#intervals.evaluate) ? await this.#evaluate() : undefined;
      if (metric !== undefined || this.#is(this.#intervals.checkpoint)) await this.#save(metric);
      await turnOfTheEventLoop();
    }
    if (this.#saved !== this.#iteration) await this.#save();
  }

  /** Processes are signalled one by one, and stop after the same iteration. */
  #isStopped(): boolean {
    const { signal, training } = this.#parts;
    const isAborted = signal?.aborted ?? false;
    return training.joint?.world.any(isAborted) ?? isAborted;
  }

  #is(interval: number): boolean {
    return this.#iteration % interval === 0;
  }

  async #iterate(): Promise<IterationResult> {
    const { config, training, comparator } = this.#parts;
    this.#setLearningRates();
    const phase = this.#phase();
    const batches = await this.#nextBatches();
    try {
      if (!comparator) return trainIteration(training, batches, phase, config);
      return await comparator.withCleanBatch((weigh) =>
        trainIteration(training, batches, phase, config, weigh),
      );
    } finally {
      for (const batch of batches) batch[Symbol.dispose]();
    }
  }

  #phase() {
    const { config, training } = this.#parts;
    return phaseAt(this.#iteration, config.schedule.iterations, {
      fraction: config.reweighting.isolatedFraction,
      isLearnable: training.curve !== null && isLearnable(training.curve),
    });
  }

  #setLearningRates(): void {
    const { config, training } = this.#parts;
    const rate = config.optimizer.learningRate * learningRateFactor(config.schedule, this.#iteration);
    for (const [i, group] of training.optimizer.groups.entries()) {
      group.learningRate = rate * (training.groupFactors[i] as number);
    }
  }

  async #nextBatches(): Promise<Batch[]> {
    const start = performance.now();
    const batches: Batch[] = [];
    for (let i = 0; i < this.#parts.config.optimizer.accumulate; i++) {
      const batch = await this.#parts.loader.next();
      if (!batch) throw new TrainingError(`the loader ended at iteration ${this.#iteration}`);
      batches.push(batch);
    }
    this.#timing.dataMs += performance.now() - start;
    this.#timing.iterations += 1;
    return batches;
  }

  #record(result: IterationResult): void {
    const { config, training, onProgress } = this.#parts;
    this.#curveLog.add(result.bins);
    this.#recordEvents(result);
    const isLast = this.#iteration === config.schedule.iterations;
    if (isLast || this.#is(config.training.logEvery)) this.#recordTraining(result);
    if (training.curve && (isLast || this.#is(this.#intervals.curve))) {
      this.#parts.log.log(this.#curveLog.flush(training.curve, this.#iteration, config.reweighting.p));
    }
    onProgress?.(this.#iteration, `loss ${result.meanLoss.toFixed(3)}`);
  }

  #recordTraining(result: IterationResult): void {
    const { log, training } = this.#parts;
    const rates = training.optimizer.groups.map((group) => group.learningRate);
    const curveRate = rates.find((rate) => rate < 0);
    log.log({
      kind: "train",
      iteration: this.#iteration,
      loss: result.loss,
      meanLoss: result.meanLoss,
      ...(result.auxLoss !== undefined && { auxLoss: result.auxLoss }),
      learningRate: rates[0] as number,
      ...(curveRate !== undefined && { curveLearningRate: curveRate, phase: this.#phase() }),
      ...(result.gradientNorm !== undefined && { gradientNorm: result.gradientNorm }),
    });
  }

  #recordEvents(result: IterationResult): void {
    const { log } = this.#parts;
    const iteration = this.#iteration;
    if (result.isEmpty) log.log({ kind: "event", iteration, ...emptyEvent(result) });
    if (result.hasStepped) {
      this.#skippedInARow = 0;
      return;
    }
    this.#skipped += 1;
    this.#skippedInARow += 1;
    const message = `loss ${result.loss}: not finite, the weights were left alone (${this.#skipped} so far)`;
    log.log({ kind: "event", iteration, event: "skippedStep", message });
    if (this.#skippedInARow >= this.#parts.config.training.maxNonFinite)
      this.#giveUp(`${this.#skippedInARow} losses in a row were not finite, up to iteration ${iteration}`);
  }

  #giveUp(reason: string, cause?: unknown): never {
    const { failurePath, training } = this.#parts;
    const { world = null } = training.joint ?? {};
    tidy(() => {
      const randomness = generatorStates(world);
      if (world?.isFirst ?? true) saveCheckpoint(failurePath, training, this.#facts(), randomness);
    });
    throw new TrainingError(
      `${reason}; the state is kept in ${failurePath}. ` +
        "Lower optimizer.learningRate, set optimizer.clipNorm, or take training.precision float32.",
      { cause },
    );
  }

  async #evaluate(): Promise<number> {
    this.#recordTiming();
    const { mIoU } = await this.#scores();
    this.#timing = { since: performance.now(), iterations: 0, dataMs: 0 };
    return mIoU;
  }

  async #scores(): Promise<EvaluationRecord> {
    try {
      return await this.#parts.evaluate(this.#iteration);
    } catch (error) {
      // Of several processes the others do not know, and would not join in keeping the state.
      if (!(error instanceof NonFiniteLogitsError) || this.#parts.training.joint) throw error;
      this.#giveUp(`the network diverged by iteration ${this.#iteration}: ${error.message}`, error);
    }
  }

  #recordTiming(): void {
    const { since, iterations, dataMs } = this.#timing;
    if (iterations === 0) return;
    this.#parts.log.log({
      kind: "timing",
      iteration: this.#iteration,
      iterationSeconds: (performance.now() - since) / iterations / 1000,
      dataSeconds: dataMs / iterations / 1000,
      memoryBytes: process.memoryUsage.rss(),
    });
  }

  #facts(): CheckpointFacts {
    return { iteration: this.#iteration, skipped: this.#skipped, skippedInARow: this.#skippedInARow };
  }

  async #save(metric?: number): Promise<void> {
    const { training, checkpoints, log, comparator } = this.#parts;
    log.flush(); // the log of an iteration is never behind its checkpoint
    const randomness = generatorStates(training.joint?.world ?? null);
    using bins = this.#curveLog.state();
    using weights = comparator?.state() ?? null;
    const extra = new Map([
      ...(training.curve ? [["bins", bins] as const] : []),
      ...(weights ? [["comparator", weights] as const] : []),
    ]);
    const write = (path: string) => saveCheckpoint(path, training, this.#facts(), randomness, extra);
    await checkpoints.save(this.#iteration, write, metric);
    for (const states of randomness.values()) states.dispose();
    this.#saved = this.#iteration;
  }
}
