import type {
  CurveRecord,
  EvaluationRecord,
  EventRecord,
  MetricsRecord,
  RunRecord,
  TimingRecord,
  TrainRecord,
} from "armseg/runs";

/** What has been read of a run's log. */
export interface RunLog {
  run: RunRecord | null;
  iteration: number;
  lastTrain: TrainRecord | null;
  train: TrainRecord[];
  evaluations: EvaluationRecord[];
  curves: CurveRecord[];
  events: EventRecord[];
  timing: TimingRecord | null;
}

/** Returns the log of a run that has written nothing yet. */
export function emptyLog(): RunLog {
  return {
    run: null,
    iteration: 0,
    lastTrain: null,
    train: [],
    evaluations: [],
    curves: [],
    events: [],
    timing: null,
  };
}

/**
 * Adds records to a log.
 *
 * @param keep - `all`, or what the summary of a run needs: of its updates the last.
 */
export function addRecords(log: RunLog, records: readonly MetricsRecord[], keep: "all" | "summary"): void {
  for (const record of records) {
    log.iteration = record.iteration;
    if (record.kind === "run") log.run = record;
    else if (record.kind === "train") {
      log.lastTrain = record;
      if (keep === "all") log.train.push(record);
    } else if (record.kind === "evaluation") addEvaluation(log, record);
    else if (record.kind === "curve") log.curves.push(record);
    else if (record.kind === "event") log.events.push(record);
    else if (record.kind === "timing") log.timing = record;
  }
}

/** Confusion matrices are large: of each split the last is kept. */
function addEvaluation(log: RunLog, record: EvaluationRecord): void {
  if (record.confusion)
    log.evaluations = log.evaluations.map((before) =>
      before.split === record.split && before.confusion ? withoutConfusion(before) : before,
    );
  log.evaluations.push(record);
}

function withoutConfusion({ confusion: _, ...rest }: EvaluationRecord): EvaluationRecord {
  return rest;
}
