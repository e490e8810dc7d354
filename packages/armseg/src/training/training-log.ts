import type { Curve, Phase } from "../reweighting/index.ts";
import type { EventRecord, MetricsRecord } from "../runs/records.ts";
import { CurveLog } from "./curve-log.ts";
import type { ParameterGroups } from "./parameter-groups.ts";
import type { StepResult } from "./step.ts";

/** Where records go; of several processes, the main one's alone are written. */
export interface LogWriter {
  log(record: MetricsRecord): void;
  /** Makes what was logged survive a power failure. */
  flush(): void;
}

export interface TrainingLogParts {
  readonly writer: LogWriter;
  readonly groups: ParameterGroups;
  readonly curve: Curve | null;
  /** Exponent of the first normalisation, for the record of the curve. */
  readonly p: number;
}

/** What a step means in records: losses and rates, the curve, what went wrong, time. */
export class TrainingLog {
  readonly curveLog = new CurveLog();
  readonly #parts: TrainingLogParts;
  #timing = { since: performance.now(), iterations: 0, dataMs: 0 };

  constructor(parts: TrainingLogParts) {
    this.#parts = parts;
  }

  /** Counts an iteration whose data were waited for so long. */
  addDataTime(milliseconds: number): void {
    this.#timing.dataMs += milliseconds;
    this.#timing.iterations += 1;
  }

  /** Records losses, rates and phase of an update. */
  recordStep(iteration: number, result: StepResult, phase: Phase): void {
    const { writer, groups } = this.#parts;
    const curveLearningRate = groups.learningRate("curve");
    writer.log({
      kind: "train",
      iteration,
      loss: result.loss,
      meanLoss: result.meanLoss,
      ...(result.auxLoss !== undefined && { auxLoss: result.auxLoss }),
      ...(result.affinity !== undefined && { affinity: result.affinity }),
      learningRate: groups.learningRate("network") as number,
      ...(curveLearningRate !== undefined && { curveLearningRate, phase }),
      ...(result.gradientNorm !== undefined && { gradientNorm: result.gradientNorm }),
    });
  }

  /** Records the curve as it is, with the pixels that it met since the record before; nothing without a curve. */
  recordCurve(iteration: number): void {
    const { writer, curve, p } = this.#parts;
    if (curve) writer.log(this.curveLog.flush(curve, iteration, p));
  }

  /** Records that every pixel of a batch was ignored, or had weight 0. */
  recordEmpty(iteration: number, { meanLoss }: StepResult): void {
    // Labelled pixels have a mean loss above 0, whatever their weights.
    const [event, what] =
      meanLoss === 0
        ? (["emptyBatch", "no pixel of the batch is labelled"] as const)
        : (["zeroWeight", "every pixel of the batch has weight 0"] as const);
    this.#recordEvent(iteration, event, `${what}; the loss is 0`);
  }

  /** Records that an update was left out. @param skipped - Updates left out so far. */
  recordSkipped(iteration: number, { loss }: StepResult, skipped: number): void {
    const message = `loss ${loss}: not finite, the weights were left alone (${skipped} so far)`;
    this.#recordEvent(iteration, "skippedStep", message);
  }

  #recordEvent(iteration: number, event: EventRecord["event"], message: string): void {
    this.#parts.writer.log({ kind: "event", iteration, event, message });
  }

  /** Records what an iteration took since {@link restartTiming}. */
  recordTiming(iteration: number): void {
    const { since, iterations, dataMs } = this.#timing;
    if (iterations === 0) return;
    this.#parts.writer.log({
      kind: "timing",
      iteration,
      iterationSeconds: (performance.now() - since) / iterations / 1000,
      dataSeconds: dataMs / iterations / 1000,
      memoryBytes: process.memoryUsage.rss(),
    });
  }

  /** Starts to count time anew: what comes between is no training. */
  restartTiming(): void {
    this.#timing = { since: performance.now(), iterations: 0, dataMs: 0 };
  }

  flush(): void {
    this.#parts.writer.flush();
  }
}
