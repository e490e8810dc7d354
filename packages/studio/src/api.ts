/** What the server and the page say to one another, as JSON. Numbers that are not finite are `null`. */

export type RunState = "training" | "finished" | "stopped" | "waiting" | "damaged";

/** A run as the table shows it. */
export interface RunSummary {
  /** The folder given and the path below it. */
  readonly id: string;
  readonly name: string;
  readonly state: RunState;
  /** Why it is damaged. */
  readonly problem: string | null;
  readonly iteration: number;
  /** Planned. */
  readonly iterations: number | null;
  readonly phase: "isolated" | "joint" | null;
  readonly loss: number | null;
  readonly mIoU: number | null;
  readonly bestMIoU: number | null;
  readonly aAcc: number | null;
  readonly iterationSeconds: number | null;
  /** While it is training. */
  readonly secondsLeft: number | null;
  /** ISO date of the first start. */
  readonly started: string | null;
  readonly seed: number | null;
  /** Runs that differ in seed and name alone have one group. */
  readonly group: string;
  readonly facts: Readonly<Record<string, string>>;
  readonly hasAudit: boolean;
}

export interface ClassColor {
  readonly name: string;
  readonly color: readonly [number, number, number];
}

/** Numbers of a training by iteration, long ones as means of neighbours. */
export interface TrainSeries {
  readonly iteration: readonly number[];
  readonly loss: readonly (number | null)[];
  readonly meanLoss: readonly (number | null)[];
  readonly learningRate: readonly (number | null)[];
}

export interface Evaluation {
  readonly iteration: number;
  readonly split: string;
  readonly mIoU: number | null;
  readonly aAcc: number | null;
  readonly iou: readonly (number | null)[];
}

export interface RunDetail {
  readonly summary: RunSummary;
  readonly classes: readonly ClassColor[];
  readonly jointFrom: number | null;
  readonly train: TrainSeries;
  readonly evaluations: readonly Evaluation[];
  readonly events: readonly {
    readonly iteration: number;
    readonly event: string;
    readonly message: string;
  }[];
  readonly confusion: readonly (readonly number[])[] | null;
  /** Of the resolved configuration, by dotted key. */
  readonly config: Readonly<Record<string, string>>;
  readonly command: string | null;
  readonly host: string | null;
}

/** The weight curve at an iteration, and the pixels that it met. */
export interface CurveState {
  readonly iteration: number;
  readonly p: number;
  readonly knots: readonly number[];
  readonly weights: readonly number[];
  readonly meanLoss: readonly (number | null)[];
  readonly count: readonly number[];
  /** Per bin, in the unit of {@link optimum}: 1 is the weight of an average pixel. `null` where theory has none. */
  readonly learned: readonly (number | null)[] | null;
  /** Hölder's. */
  readonly optimum: readonly (number | null)[] | null;
  readonly correlation: number | null;
}

/** Images with planes: a folder of maps, or what an audit kept. */
export interface MapSet {
  readonly id: string;
  readonly title: string;
  readonly kind: "maps" | "audit";
  /** The run's id; `null` for a folder of predictions. */
  readonly run: string | null;
  readonly iteration: number | null;
  readonly split: string | null;
  readonly images: number;
  readonly classes: readonly ClassColor[];
  readonly hasLabels: boolean;
  /** Where planes are missing: what makes them. */
  readonly remedy: string | null;
}

export type ImageOrder = "name" | "mIoU" | "disagreement" | "audit" | "class" | "cell";

export interface ImageRow {
  /** Within the set. */
  readonly index: number;
  readonly name: string;
  /** `[height, width]` */
  readonly size: readonly [number, number];
  readonly mIoU: number | null;
  /** Share of the labelled pixels whose prediction is another class. */
  readonly disagreement: number | null;
  /** cleanlab's quality of the label, the lower the more suspicious; of an audit. */
  readonly quality: number | null;
  /** What the order asked for: IoU of the class, pixels of the cell. */
  readonly asked: number | null;
  readonly planes: readonly Plane[];
}

export interface ImagePage {
  readonly total: number;
  readonly rows: readonly ImageRow[];
}

export type Plane = "image" | "label" | "prediction" | "confidence";

export type VerdictKind = "keep" | "prediction" | "void" | "painted";

export interface Mask {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
  /** So many pixels outside, so many inside, and so on, along the rows of the box. */
  readonly runs: readonly number[];
}

export interface ReviewRegion {
  readonly id: string;
  readonly rank: number;
  readonly image: string;
  /** Index of the image in the set {@link Review.set}; -1 where it has no planes. */
  readonly imageIndex: number;
  readonly area: number;
  readonly label: number;
  readonly prediction: number;
  readonly score: number;
  readonly likelihood: number;
  readonly mask: Mask;
  readonly verdict: VerdictKind | null;
}

export interface Review {
  readonly set: string;
  readonly classes: readonly ClassColor[];
  readonly regions: readonly ReviewRegion[];
  /** In the audit, which may be more than are listed here. */
  readonly total: number;
  /** The command that applies the verdicts. */
  readonly command: string;
}

/** A verdict as the page gives it; the server adds the label's file and hash. */
export interface NewVerdict {
  readonly run: string;
  readonly region: string;
  readonly verdict: VerdictKind | "undo";
  readonly painted?: readonly { readonly class: number; readonly mask: Mask }[];
}

/** What the server tells on its own, by name of the event. */
export interface StudioEvents {
  /** Every run: what a stream begins with, so that no change falls between a list and the first event. */
  readonly all: readonly RunSummary[];
  /** Runs that changed or came, and the ids of those that are gone. */
  readonly runs: { readonly changed: readonly RunSummary[]; readonly gone: readonly string[] };
  /** The verdict on a region that counts now; none is left where the last one was undone. */
  readonly verdict: { readonly run: string; readonly region: string; readonly verdict: VerdictKind | null };
}
