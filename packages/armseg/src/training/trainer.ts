import { setImmediate as turnOfTheEventLoop } from "node:timers/promises";
import { noGrad, tidy } from "@armseg/torch";
import type { Baseline } from "../baselines/index.ts";
import { NonFiniteLogitsError } from "../evaluation/index.ts";
import type { Batch, Loader } from "../pipeline/index.ts";
import { CURVE_INTERVALS, type Curve, sampleCurve } from "../reweighting/index.ts";
import type { EvaluationRecord } from "../runs/records.ts";
import { type CheckpointFacts, generatorStates, saveCheckpoint } from "./checkpoint.ts";
import type { EarlyStopping } from "./early-stopping.ts";
import type { ParameterGroups } from "./parameter-groups.ts";
import type { Schedule } from "./schedule.ts";
import { type StepResult, type Training, trainStep } from "./step.ts";
import { type LogWriter, TrainingLog } from "./training-log.ts";

/** Where checkpoints go; of several processes, the main one's alone are written. */
export interface CheckpointStore {
  /** Keeps the checkpoint of an iteration, which `write` puts at a path, returning its checksum; a score is taken higher-is-better. */
  save(iteration: number, write: (path: string) => string, score?: number): Promise<unknown>;
  /** Keeps the state of a training that must stop, and returns its path. */
  saveFailed(write: (path: string) => void): string;
}

/** Iterations between two of a kind; each also happens at the end. */
export interface Intervals {
  /** Records of losses and rates. */
  readonly log: number;
  /** Records of the curve. */
  readonly curve: number;
  readonly evaluate: number;
  readonly checkpoint: number;
  /** Estimates of the coverage; not at the end. */
  readonly coverage: number;
}

/** What a training is made of; the loop itself touches no file and no data set. */
export interface TrainerParts extends Training {
  readonly groups: ParameterGroups;
  readonly schedule: Schedule;
  /** Batches, from the iteration that the training starts or goes on at. */
  readonly data: Pick<Loader, "next">;
  /** Weighs the pixels in place of a curve. */
  readonly baseline: Baseline | null;
  readonly log: LogWriter;
  readonly checkpoints: CheckpointStore;
  /** Scores the network as it is, and logs the scores. */
  readonly evaluate: (iteration: number) => Promise<EvaluationRecord>;
  /** Sets the coverage offset anew, by the network as it is, and logs it. Needed where there is a coverage offset. */
  readonly estimateCoverage?: (iteration: number) => Promise<void>;
  /** Has the network as it is label what the annotators left out, and lets `data` go on with that. */
  readonly teaching?: {
    /** Updates after which it does. */
    readonly iterations: readonly number[];
    readonly teach: (iteration: number) => Promise<void>;
  } | null;
  readonly intervals: Intervals;
  /** Batches whose gradients are averaged into one update. */
  readonly accumulate: number;
  /** Updates in a row with a loss that is not finite, after which the training stops. */
  readonly maxNonFinite: number;
  /** Ends the training early; it counts the scores of the evaluations. */
  readonly earlyStopping?: EarlyStopping | null;
  readonly onProgress?: (iteration: number, note: string) => void;
  /** Ends the training after the iteration in hand. */
  readonly signal?: AbortSignal;
}

/** The training cannot go on; the message says why and where its state was kept. */
export class TrainingError extends Error {
  override readonly name = "TrainingError";
  readonly code = "ERR_TRAINING";
}

/**
 * The training loop: from one iteration to the last, or until the signal.
 *
 * An iteration is a pure function of the state in its checkpoint and of its number: data, augmentation, phase and learning
 * rate are functions of the number, and dropout's generator is in the state. That is what makes resuming bitwise.
 */
export class Trainer {
  readonly #parts: TrainerParts;
  readonly #log: TrainingLog;
  #iteration = 0;
  #skipped = 0;
  #skippedInARow = 0;
  /** Iteration of the newest checkpoint. */
  #saved = -1;

  constructor(parts: TrainerParts) {
    const { log: writer, groups, curve, losses } = parts;
    this.#parts = parts;
    this.#log = new TrainingLog({ writer, groups, curve, p: losses.main.settings.p });
  }

  /** Updates done. */
  get iteration(): number {
    return this.#iteration;
  }

  /** Whether the last iteration is done, or the training has ended early. */
  get isComplete(): boolean {
    const { schedule, earlyStopping } = this.#parts;
    return this.#iteration === schedule.iterations || (earlyStopping?.isOver ?? false);
  }

  /** Goes on from a checkpoint that was loaded into the training's objects. */
  continueFrom(facts: CheckpointFacts, extra: ReadonlyMap<string, readonly number[]>): void {
    this.#iteration = facts.iteration;
    this.#saved = facts.iteration;
    this.#skipped = facts.skipped;
    this.#skippedInARow = facts.skippedInARow;
    const bins = extra.get("bins");
    if (bins) this.#log.curveLog.loadState(bins);
    const baseline = extra.get(BASELINE);
    if (baseline) this.#parts.baseline?.loadState(baseline);
    const coverage = extra.get(COVERAGE);
    if (coverage) this.#parts.coverage?.set(coverage);
  }

  /**
   * Trains until the last iteration or the signal; either way everything is in the last checkpoint.
   *
   * @throws {TrainingError} If too many losses in a row were not finite, the curve is not, or what the network makes of an image.
   */
  async run(): Promise<void> {
    const { intervals } = this.#parts;
    while (!this.isComplete && !this.#isStopped()) {
      const result = await this.#iterate();
      this.#iteration += 1;
      this.#record(result);
      await this.#correct();
      const score = this.#isDue(intervals.evaluate) ? await this.#evaluate() : undefined;
      if (score !== undefined || this.#iteration % intervals.checkpoint === 0) await this.#save(score);
      await turnOfTheEventLoop();
    }
    if (this.#saved !== this.#iteration) await this.#save();
  }

  /** Processes are signalled one by one, and stop after the same iteration. */
  #isStopped(): boolean {
    const { signal, context } = this.#parts;
    return context.any(signal?.aborted ?? false);
  }

  #isDue(interval: number): boolean {
    return this.isComplete || this.#iteration % interval === 0;
  }

  /** Teaching first: the coverage is that of the labels that are trained on. */
  async #correct(): Promise<void> {
    const { coverage, intervals, teaching, estimateCoverage } = this.#parts;
    if (this.isComplete) return;
    const iteration = this.#iteration;
    const isTaught = teaching?.iterations.includes(iteration) ?? false;
    const isCovered = coverage !== null && (isTaught || iteration % intervals.coverage === 0);
    if (!isTaught && !isCovered) return;
    this.#log.recordTiming(iteration);
    await this.#look(async () => {
      if (isTaught) await teaching?.teach(iteration);
      if (isCovered) await estimateCoverage?.(iteration);
    });
    this.#log.restartTiming();
  }

  async #iterate(): Promise<StepResult> {
    const { schedule, groups, baseline } = this.#parts;
    groups.setLearningRate(schedule.learningRate(this.#iteration));
    const phase = schedule.phase(this.#iteration);
    const batches = await this.#nextBatches();
    try {
      if (!baseline) return trainStep(this.#parts, batches, phase);
      return await baseline.withMetaBatch((weigh) => trainStep(this.#parts, batches, phase, weigh));
    } finally {
      for (const batch of batches) batch[Symbol.dispose]();
    }
  }

  async #nextBatches(): Promise<Batch[]> {
    const { data, accumulate } = this.#parts;
    const start = performance.now();
    const batches: Batch[] = [];
    while (batches.length < accumulate) {
      const batch = await data.next();
      if (!batch) throw new TrainingError(`the loader ended at iteration ${this.#iteration}`);
      batches.push(batch);
    }
    this.#log.addDataTime(performance.now() - start);
    return batches;
  }

  #record(result: StepResult): void {
    const { intervals, schedule, onProgress } = this.#parts;
    const iteration = this.#iteration;
    this.#log.curveLog.add(result.bins);
    if (result.isEmpty) this.#log.recordEmpty(iteration, result);
    this.#countSkipped(result);
    if (this.#isDue(intervals.log)) this.#log.recordStep(iteration, result, schedule.phase(iteration - 1));
    if (this.#isDue(intervals.curve)) this.#log.recordCurve(iteration);
    onProgress?.(iteration, `loss ${result.meanLoss.toFixed(3)}`);
  }

  #countSkipped(result: StepResult): void {
    this.#skippedInARow = result.hasStepped ? 0 : this.#skippedInARow + 1;
    if (result.hasStepped) return;
    this.#skipped += 1;
    this.#log.recordSkipped(this.#iteration, result, this.#skipped);
    const { curve } = this.#parts;
    const wrong = curve && wrongWeight(curve);
    if (wrong !== null) {
      this.#giveUp(
        `the curve diverged by iteration ${this.#iteration}: W(u) must be finite and not negative, and is ${wrong}`,
        "Lower reweighting.learningRateMultiplier or optimizer.learningRate, or take reweighting.p above 1.",
      );
    }
    if (this.#skippedInARow < this.#parts.maxNonFinite) return;
    this.#giveUp(
      `${this.#skippedInARow} losses in a row were not finite, up to iteration ${this.#iteration}`,
    );
  }

  /** Returns the mIoU. */
  async #evaluate(): Promise<number> {
    this.#log.recordTiming(this.#iteration);
    const { mIoU } = await this.#look(() => this.#parts.evaluate(this.#iteration));
    this.#parts.earlyStopping?.add(mIoU);
    this.#log.restartTiming();
    return mIoU;
  }

  /** Has the network look at images; its outputs show at last that it has diverged. */
  async #look<T>(body: () => Promise<T>): Promise<T> {
    try {
      return await body();
    } catch (error) {
      if (!(error instanceof NonFiniteLogitsError)) throw error; // which all processes throw, or none
      this.#giveUp(`the network diverged by iteration ${this.#iteration}: ${error.message}`, DIVERGED, error);
    }
  }

  async #save(score?: number): Promise<void> {
    const { checkpoints, context, curve, baseline, coverage } = this.#parts;
    this.#log.flush(); // the log of an iteration is never behind its checkpoint
    const randomness = generatorStates(context);
    using bins = this.#log.curveLog.state();
    using weights = baseline?.state() ?? null;
    using shares = coverage?.state() ?? null;
    const extra = new Map([
      ...(curve ? [["bins", bins] as const] : []),
      ...(weights ? [[BASELINE, weights] as const] : []),
      ...(shares ? [[COVERAGE, shares] as const] : []),
    ]);
    const write = (path: string) => saveCheckpoint(path, this.#parts, this.#facts(), randomness, extra);
    await checkpoints.save(this.#iteration, write, score);
    for (const states of randomness.values()) states.dispose();
    this.#saved = this.#iteration;
  }

  #facts(): CheckpointFacts {
    return { iteration: this.#iteration, skipped: this.#skipped, skippedInARow: this.#skippedInARow };
  }

  #giveUp(reason: string, remedy = DIVERGED, cause?: unknown): never {
    const { checkpoints, context } = this.#parts;
    const path = tidy(() => {
      const randomness = generatorStates(context);
      return checkpoints.saveFailed((file) => saveCheckpoint(file, this.#parts, this.#facts(), randomness));
    });
    context.barrier(); // the error of one ends all: not before the main process has kept the state
    throw new TrainingError(`${reason}; the state is kept in ${path}. ${remedy}`, { cause });
  }
}

const COVERAGE = "coverage";

/** What a baseline's state is called in a checkpoint; an older name of baselines, kept so that old runs can be resumed. */
const BASELINE = "comparator";

const DIVERGED = "Lower optimizer.learningRate, set optimizer.clipNorm, or take training.precision float32.";

/** Returns a weight of the curve that is no weight: NaN, infinite or negative; `null` where there is none. */
function wrongWeight(curve: Curve): number | null {
  const weights = noGrad(
    () => sampleCurve(curve, { intervals: CURVE_INTERVALS }).toTypedArray() as Float32Array,
  );
  return weights.find((weight) => !(weight >= 0 && weight < Number.POSITIVE_INFINITY)) ?? null;
}
