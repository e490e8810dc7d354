import { curveAgainstOptimum } from "armseg/report";
import {
  type CurveRecord,
  type EvaluationRecord,
  readEnvironments,
  runPaths,
  type TrainRecord,
} from "armseg/runs";
import type { CurveState, Evaluation, RunDetail, TrainSeries } from "../api.ts";
import type { OpenRun } from "./run-store.ts";
import { finite } from "./summary.ts";

/** A screen shows no more. */
const POINTS = 1500;

/** Returns all that the page shows of a run but its curves. */
export function runDetail({ folder, summary, log, config }: OpenRun): RunDetail {
  const environment = environmentOf(folder.path);
  return {
    summary,
    classes: log.run?.classes ?? [],
    jointFrom: log.run?.jointFrom ?? null,
    train: trainSeries(log.train),
    evaluations: log.evaluations.map(shownEvaluation),
    events: log.events.map(({ iteration, event, message }) => ({ iteration, event, message })),
    confusion: log.evaluations.findLast(({ confusion }) => confusion)?.confusion ?? null,
    config: config?.values ?? {},
    command: environment?.command.join(" ") ?? null,
    host: environment?.host ?? null,
  };
}

function environmentOf(folder: string) {
  try {
    return readEnvironments(runPaths(folder).environment).at(-1);
  } catch {
    return undefined;
  }
}

function shownEvaluation({ iteration, split, mIoU, aAcc, iou }: EvaluationRecord): Evaluation {
  return { iteration, split, mIoU: finite(mIoU), aAcc: finite(aAcc), iou: iou.map(finite) };
}

/** Returns the updates as columns; many neighbours are joined to their mean. */
export function trainSeries(records: readonly TrainRecord[]): TrainSeries {
  const width = Math.max(1, Math.ceil(records.length / POINTS));
  const buckets = Array.from({ length: Math.ceil(records.length / width) }, (_, i) =>
    records.slice(i * width, (i + 1) * width),
  );
  const column = (value: (record: TrainRecord) => number | undefined) =>
    buckets.map((bucket) => meanOf(bucket.map(value)));
  return {
    iteration: buckets.map((bucket) => bucket.at(-1)!.iteration),
    loss: column(({ loss }) => loss),
    meanLoss: column(({ meanLoss }) => meanLoss),
    learningRate: column(({ learningRate }) => learningRate),
  };
}

/** Of the numbers among them; `null` where there is none. */
function meanOf(values: readonly (number | undefined)[]): number | null {
  const finiteValues = values.filter((value): value is number => finite(value) !== null);
  return finiteValues.length === 0
    ? null
    : finiteValues.reduce((sum, value) => sum + value, 0) / finiteValues.length;
}

/** A slider has no more places. */
const CURVES = 240;

/** Returns the curve over time, with what theory expects of it: at each iteration that it was logged at, or at some of very many. */
export function curveStates(records: readonly CurveRecord[]): CurveState[] {
  const step = Math.max(1, records.length / CURVES);
  const count = Math.ceil(records.length / step);
  // Counted from the end: the last one is always among them.
  const chosen = Array.from({ length: count }, (_, i) => records[records.length - 1 - Math.floor(i * step)]!);
  return chosen.reverse().map((record) => {
    const against = curveAgainstOptimum(record);
    return {
      iteration: record.iteration,
      p: record.p,
      knots: record.knots,
      weights: record.weights,
      meanLoss: record.meanLossPerBin.map(finite),
      count: record.countPerBin,
      learned: against?.learned.map(finite) ?? null,
      optimum: against?.optimum.map(finite) ?? null,
      correlation: finite(against?.correlation),
    };
  });
}
