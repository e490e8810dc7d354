/**
 * The shapes of the lines of `metrics.jsonl`: one JSON object per line, told apart by `kind`.
 *
 * Rules that the trainer keeps and readers rely on:
 * - `iteration` counts finished updates: the record of the first update has iteration 1, what is known before it has 0.
 *   It never falls from one line to the next.
 * - All records of iteration k are written before the checkpoint of iteration k, so that resuming from it loses none.
 * - Everything but `timing` is a function of the configuration and the seed: the log of an interrupted and resumed run
 *   equals that of an undisturbed one, byte for byte, once the timing lines are left out.
 * - Ratios (accuracy, IoU) are fractions in [0, 1]; reports print percent. A class that does not occur has NaN.
 * - Numbers that JSON lacks are written as described in `json-numbers.ts`.
 */
export type MetricsRecord =
  | RunRecord
  | TrainRecord
  | CurveRecord
  | EvaluationRecord
  | CoverageRecord
  | TeachingRecord
  | SampleRecord
  | EventRecord
  | TimingRecord;

/** The first line: what the run is. */
export interface RunRecord {
  readonly kind: "run";
  readonly iteration: 0;
  /** Iterations that the run will have when it is done. */
  readonly iterations: number;
  /** Index = class index. Colours are red, green, blue, each 0..255. */
  readonly classes: readonly { readonly name: string; readonly color: readonly [number, number, number] }[];
  /** The first iteration in which network and curve are trained jointly; absent where no curve is learned. */
  readonly jointFrom?: number;
  /** Rows for the head of the report, in order, e.g. `{ network: "DeepLabv3+ R18", reweighting: "arm, var, p = 2" }`. */
  readonly facts: Readonly<Record<string, string>>;
}

/** One update. */
export interface TrainRecord {
  readonly kind: "train";
  readonly iteration: number;
  /** What the network minimised: Q (or the plain mean in the isolated phase) plus the weighted auxiliary loss and affinity; nats. */
  readonly loss: number;
  /** The plain mean of the pixel loss over the valid pixels, comparable between strategies; nats. */
  readonly meanLoss?: number;
  /** The auxiliary head's loss before its weight; nats. */
  readonly auxLoss?: number;
  /** The affinity's energy before its weight, in [0, 1]. */
  readonly affinity?: number;
  readonly learningRate: number;
  /** The curve's own, as it is applied: negative. */
  readonly curveLearningRate?: number;
  /** L2 norm of the network's gradient before clipping. */
  readonly gradientNorm?: number;
  /** Whether network and curve are trained in isolation or jointly; absent where no curve is learned. */
  readonly phase?: "isolated" | "joint";
}

/** The weight curve W(u) and the pixels it met since the curve record before: the material of Figure 5. */
export interface CurveRecord {
  readonly kind: "curve";
  readonly iteration: number;
  /** Exponent of the first normalisation. */
  readonly p: number;
  /** Confidence u of each sample of the curve, rising from -1 to 1. */
  readonly knots: readonly number[];
  /** W(u) at the knots, not normalised, in [0, 1]. */
  readonly weights: readonly number[];
  /** Mean pixel loss in each of the equal bins that divide [-1, 1]; NaN where no pixel fell; nats. */
  readonly meanLossPerBin: readonly number[];
  /** Valid pixels in each bin. */
  readonly countPerBin: readonly number[];
}

/** How thoroughly the classes of the training images are labelled, as the network sees it: what the loss is corrected by. */
export interface CoverageRecord {
  readonly kind: "coverage";
  readonly iteration: number;
  /** Labelled share of the pixels predicted as each class, in (0, 1]. */
  readonly coverage: readonly number[];
}

/** What the network, as a teacher, made of the training labels. Pixel counts are over all training images. */
export interface TeachingRecord {
  readonly kind: "teaching";
  readonly iteration: number;
  /** Least likelihood at which each class is believed. */
  readonly thresholds: readonly number[];
  /** Pixels of each class that the annotators drew. */
  readonly drawn: readonly number[];
  /** Those of them that were given another class, or none. */
  readonly changed: readonly number[];
  /** Undrawn pixels that each class was given. */
  readonly filled: readonly number[];
  /** Pixels that stay without a class. */
  readonly void: number;
}

/** Scores on a split. */
export interface EvaluationRecord {
  readonly kind: "evaluation";
  readonly iteration: number;
  readonly split: string;
  readonly images: number;
  readonly aAcc: number;
  readonly mAcc: number;
  readonly mIoU: number;
  /** IoU of each class; NaN where the class is neither labelled nor predicted. */
  readonly iou: readonly number[];
  /** Accuracy (recall) of each class. */
  readonly accuracy?: readonly number[];
  readonly boundaryIoU?: number;
  /** Pixel counts, rows = labels, columns = predictions. Large for many classes: write it at the end only. */
  readonly confusion?: readonly (readonly number[])[];
}

/** The images of one row of samples, PNG files of one size. */
export const SAMPLE_IMAGES = ["image", "label", "prediction", "confidence", "weight"] as const;
export type SampleImage = (typeof SAMPLE_IMAGES)[number];

/** One row of samples: an image of the split and what the network makes of it. */
export interface SampleRecord {
  readonly kind: "sample";
  readonly iteration: number;
  readonly name: string;
  /** Paths relative to the run folder, with `/`. */
  readonly files: Readonly<Partial<Record<SampleImage, string>>>;
}

/** Something that happened and that the report counts or tells. */
export interface EventRecord {
  readonly kind: "event";
  readonly iteration: number;
  /**
   * `skippedStep`: the loss was not finite, the weights were left alone. `emptyBatch`: no valid pixel, loss 0.
   * `zeroWeight`: every weight was 0, loss 0. `earlyStop`: the scores had stopped to rise, and this was the last iteration.
   * `note`: for the reader only.
   */
  readonly event: "skippedStep" | "emptyBatch" | "zeroWeight" | "earlyStop" | "note";
  readonly message: string;
}

/** What depends on the machine and its state: the only records that differ between two runs of one seed. */
export interface TimingRecord {
  readonly kind: "timing";
  readonly iteration: number;
  /** Mean wall time of an iteration since the timing record before, and the part of it spent waiting for data. */
  readonly iterationSeconds: number;
  readonly dataSeconds?: number;
  /** Resident memory of the process. */
  readonly memoryBytes?: number;
}

/** Returns the records of one kind, in the order of the log. */
export function recordsOfKind<K extends MetricsRecord["kind"]>(
  records: readonly MetricsRecord[],
  kind: K,
): Extract<MetricsRecord, { kind: K }>[] {
  return records.filter((record) => record.kind === kind) as Extract<MetricsRecord, { kind: K }>[];
}
