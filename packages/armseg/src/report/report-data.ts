import type { RunContents } from "../runs/read-run.ts";
import {
  type CoverageRecord,
  type CurveRecord,
  type EvaluationRecord,
  type EventRecord,
  type MetricsRecord,
  type RunRecord,
  recordsOfKind,
  type SampleRecord,
  type TeachingRecord,
  type TimingRecord,
  type TrainRecord,
} from "../runs/records.ts";

/** A run as the report shows it: its records by kind, and the images that they name. Plain data. */
export interface ReportData {
  readonly name: string;
  readonly config: string;
  readonly environments: RunContents["environments"];
  /** Undefined until the run wrote its first record. */
  readonly run: RunRecord | undefined;
  readonly train: readonly TrainRecord[];
  readonly curves: readonly CurveRecord[];
  readonly evaluations: readonly EvaluationRecord[];
  /** Empty without a coverage offset. */
  readonly coverages: readonly CoverageRecord[];
  /** Empty without a teacher. */
  readonly teachings: readonly TeachingRecord[];
  readonly samples: readonly SampleRecord[];
  readonly events: readonly EventRecord[];
  readonly timings: readonly TimingRecord[];
  /** The last iteration that anything was logged for. */
  readonly iteration: number;
  /** Bytes of the PNG files, by the paths in the sample records. */
  readonly images: ReadonlyMap<string, Uint8Array>;
}

/** Sorts what a run folder says for the report. */
export function reportData(
  contents: Pick<RunContents, "name" | "config" | "environments"> & {
    readonly records: readonly MetricsRecord[];
  },
  images: ReadonlyMap<string, Uint8Array>,
): ReportData {
  const { name, config, environments, records } = contents;
  return {
    name,
    config,
    environments,
    run: recordsOfKind(records, "run")[0],
    train: recordsOfKind(records, "train"),
    curves: recordsOfKind(records, "curve"),
    evaluations: recordsOfKind(records, "evaluation"),
    coverages: recordsOfKind(records, "coverage"),
    teachings: recordsOfKind(records, "teaching"),
    samples: recordsOfKind(records, "sample"),
    events: recordsOfKind(records, "event"),
    timings: recordsOfKind(records, "timing"),
    iteration: records.at(-1)?.iteration ?? 0,
    images,
  };
}

/** The splits that a run was evaluated on, in the order of their first evaluation. */
export function splitsOf(data: ReportData): string[] {
  return [...new Set(data.evaluations.map(({ split }) => split))];
}

/** The last evaluation on a split. */
export function lastEvaluation(data: ReportData, split: string): EvaluationRecord | undefined {
  return data.evaluations.findLast((evaluation) => evaluation.split === split);
}

/** The name of a class, or its index where the run does not say. */
export function className(data: ReportData, index: number): string {
  return data.run?.classes[index]?.name ?? `class ${index}`;
}

/** The samples as they were at their last iteration, in the order of their first appearance. */
export function lastSamples(data: ReportData): SampleRecord[] {
  return [...new Map(data.samples.map((sample) => [sample.name, sample])).values()];
}
